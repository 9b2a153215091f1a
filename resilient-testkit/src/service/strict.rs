//! Strict mode: limits on requests that would cost too much.

use std::fmt::Display;

use qdrant_client::qdrant::{CreateCollection, SearchParams, StrictModeConfig};
use tonic::Status;

use super::Collection;
use super::index::first_unindexed;
use super::status::bad_request;
use crate::store::{Condition, FieldCheck, Filter, Match, Selection};

type Checked = Result<(), Status>;

/// The strict mode of a collection that has it enabled.
pub(super) struct StrictMode(StrictModeConfig);

impl StrictMode {
    pub(super) fn of(settings: &CreateCollection) -> Option<Self> {
        let config = settings.strict_mode_config.as_ref()?;
        (config.enabled == Some(true)).then(|| Self(config.clone()))
    }

    pub(super) fn read_rate_limit(&self) -> Option<u32> {
        self.0.read_rate_limit
    }

    pub(super) fn write_rate_limit(&self) -> Option<u32> {
        self.0.write_rate_limit
    }
}

/// These checks pass if strict mode is not enabled.
impl Collection {
    fn strict(&self) -> Option<&StrictModeConfig> {
        self.strict.as_ref().map(|StrictMode(config)| config)
    }

    pub(super) fn check_limit(&self, limit: usize) -> Checked {
        let most = self.strict().and_then(|config| config.max_query_limit);
        at_most(Some(limit as u64), most.map(u64::from), "limit")
    }

    pub(super) fn check_timeout(&self, timeout: Option<u64>) -> Checked {
        let most = self.strict().and_then(|config| config.max_timeout);
        at_most(timeout, most.map(u64::from), "timeout")
    }

    pub(super) fn check_search_batch(&self, searches: usize) -> Checked {
        let most = self.strict().and_then(|config| config.search_max_batchsize);
        at_most(Some(searches as u64), most, "search batch size")
    }

    pub(super) fn check_upsert_size(&self, points: usize) -> Checked {
        let most = self.strict().and_then(|config| config.upsert_max_batchsize);
        at_most(Some(points as u64), most, "upsert limit")
    }

    pub(super) fn check_update_size(&self, points: usize) -> Checked {
        let most = self.strict().and_then(|config| config.upsert_max_batchsize);
        at_most(Some(points as u64), most, "update limit")
    }

    pub(super) fn check_points_count(&self, points: impl FnOnce() -> usize) -> Checked {
        match self.strict().and_then(|config| config.max_points_count) {
            Some(most) if points() as u64 >= most => {
                Err(bad_request(format!("Max points count limit of {most} reached!")))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn check_new_index(&self) -> Checked {
        match self.strict().and_then(|config| config.max_payload_index_count) {
            Some(most) if self.indexes.len() as u64 >= most => Err(refused(
                format!("Collection already has the maximum number of payload indices ({most})"),
                "Please delete an existing index before creating a new one.",
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn check_exact(&self, exact: bool) -> Checked {
        let allowed = self.strict().and_then(|config| config.search_allow_exact);
        if exact && allowed == Some(false) {
            return Err(refused("Exact search disabled!", "Set exact=false."));
        }
        Ok(())
    }

    pub(super) fn check_search_params(&self, params: Option<&SearchParams>) -> Checked {
        let (Some(config), Some(params)) = (self.strict(), params) else {
            return Ok(());
        };
        let oversampling = params.quantization.as_ref().and_then(|params| params.oversampling);
        let most = config.search_max_oversampling.map(f64::from);
        at_most(oversampling, most, "oversampling")?;
        at_most(params.hnsw_ef, config.search_max_hnsw_ef.map(u64::from), "hnsw_ef")?;
        self.check_exact(params.exact.unwrap_or(false))
    }

    pub(super) fn check_read_filter(&self, filter: &Filter) -> Checked {
        let unindexed = self.strict().and_then(|config| config.unindexed_filtering_retrieve);
        self.check_filter(filter, unindexed)
    }

    pub(super) fn check_written(&self, selection: &Selection) -> Checked {
        match selection {
            Selection::Ids(_) => Ok(()),
            Selection::Filter(filter) => {
                let allowed = self.strict().and_then(|config| config.unindexed_filtering_update);
                self.check_filter(filter, allowed)
            }
        }
    }

    fn check_filter(&self, filter: &Filter, unindexed: Option<bool>) -> Checked {
        let Some(config) = self.strict() else {
            return Ok(());
        };
        let (conditions, most) = (filter.conditions() as u64, config.filter_max_conditions);
        if let Some(most) = most.filter(|most| conditions > *most) {
            return Err(refused(
                format!("Filter condition limit reached ({conditions} > {most})"),
                "Reduce the amount of conditions of your filter.",
            ));
        }
        let (size, most) = (largest_condition(filter) as u64, config.condition_max_size);
        if let Some(most) = most.filter(|most| size > *most) {
            return Err(refused(
                format!("Condition size limit reached ({size} > {most})"),
                "Reduce the size of your condition.",
            ));
        }
        if unindexed == Some(false)
            && let Some((key, schemas)) = first_unindexed(filter, &self.indexes)
        {
            return Err(refused(
                format!(
                    "Index required but not found for \"{key}\" of one of the following types: \
                     [{}]",
                    schemas.join(", ")
                ),
                "Create an index for this key or use a different filter.",
            ));
        }
        Ok(())
    }
}

fn at_most<T: PartialOrd + Display>(value: Option<T>, most: Option<T>, name: &str) -> Checked {
    match (value, most) {
        (Some(value), Some(most)) if value > most => Err(refused(
            format!("Limit exceeded {value} > {most} for \"{name}\""),
            &format!("Reduce the \"{name}\" parameter to or below {most}."),
        )),
        _ => Ok(()),
    }
}

/// Returns the number of values in the largest condition.
fn largest_condition(filter: &Filter) -> usize {
    let size = |condition: &Condition| match condition {
        Condition::Field { check: FieldCheck::AnyOf { matches: Some(matches), .. }, .. } => {
            match matches {
                Match::Keywords(values) | Match::ExceptKeywords(values) => values.len(),
                Match::Integers(values) | Match::ExceptIntegers(values) => values.len(),
                Match::Bool(_) | Match::Text(_) | Match::Tokens(_) => 0,
            }
        }
        Condition::HasId(ids) => ids.len(),
        Condition::Filter(filter) | Condition::Nested { filter, .. } => largest_condition(filter),
        _ => 0,
    };
    filter.all_conditions().map(size).max().unwrap_or(0)
}

fn refused(error: impl Display, help: &str) -> Status {
    bad_request(format!("{error}. Help: {help}"))
}
