//! The serialized form of a snapshot, which is its format. To change it, raise `Snapshot::VERSION`,
//! unless a field is added that may be missing.
//!
//! Only hinted methods such as `deserialize_u64` are used. `deserialize_any`, which untagged enums
//! use, does not work in every format, and in `serde_json` not with its feature
//! `arbitrary_precision`, which any crate of a program can turn on.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::breaker_snapshot::{BreakerChange, BreakerSnapshot};
use super::duration_snapshot::DurationSnapshot;
use super::snapshot::{BudgetSnapshot, FunctionSnapshot, Snapshot};
use crate::{
    BreakerStatus, BreakerTotals, CallCounts, CallOutcome, ErrorKind, GiveUpReason, WindowStats,
};

/// `#[serde(default)]` fills in what is missing. A missing state cannot be read.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Program<'s> {
    /// First, so that a reader sees it before the rest.
    version: Number,
    taken_at_millis: Number,
    breakers: Vec<Breaker<'s>>,
    budgets: Vec<Budget<'s>>,
    functions: Vec<Function<'s>>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Breaker<'s> {
    name: Cow<'s, str>,
    state: Cow<'s, str>,
    held: Option<Cow<'s, str>>,
    time_until_half_open_millis: Option<Number>,
    consecutive_openings: Number,
    failure_count: Number,
    success_count: Number,
    window: Option<Window>,
    totals: Totals,
    last_change: Option<Change<'s>>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Change<'s> {
    at_millis: Number,
    from: Cow<'s, str>,
    to: Cow<'s, str>,
    cause: Cow<'s, str>,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Window {
    calls: Number,
    failures: Number,
    slow_calls: Number,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Totals {
    successes: Number,
    failures: Number,
    ignored: Number,
    slow_calls: Number,
    rejected: Number,
    transitions: Number,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Budget<'s> {
    name: Cow<'s, str>,
    capacity: Number,
    available: Number,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Function<'s> {
    name: Cow<'s, str>,
    /// By outcome.
    calls: BTreeMap<Cow<'s, str>, Number>,
    attempts: Number,
    /// By the kind of the error before them, without those that are 0.
    retries: BTreeMap<Cow<'s, str>, Number>,
    /// By reason, without those that are 0.
    gave_up: BTreeMap<Cow<'s, str>, Number>,
    /// By outcome.
    durations: BTreeMap<Cow<'s, str>, CallDurations>,
    unknown_errors: Number,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct CallDurations {
    count: Number,
    p50_micros: Number,
    p90_micros: Number,
    p99_micros: Number,
    max_micros: Number,
}

/// A whole number. Any other number is read as the nearest one that fits, and no value as 0: JSON
/// has no NaN, and most writers write `null` for it.
#[derive(Clone, Copy, Default)]
struct Number(u64);

impl Number {
    fn small(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }
}

impl From<u32> for Number {
    fn from(number: u32) -> Self {
        Self(number.into())
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Some(self.0).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_option(AnyNumber)
    }
}

struct AnyNumber;

impl<'de> Visitor<'de> for AnyNumber {
    type Value = Number;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a number")
    }

    fn visit_none<E: Error>(self) -> Result<Number, E> {
        Ok(Number(0))
    }

    fn visit_unit<E: Error>(self) -> Result<Number, E> {
        Ok(Number(0))
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Number, D::Error> {
        deserializer.deserialize_u64(self)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Number, E> {
        Ok(Number(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Number, E> {
        Ok(Number(u64::try_from(number).unwrap_or(0)))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Number, E> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the conversion saturates, and makes NaN 0"
        )]
        Ok(Number(number as u64))
    }
}

impl Serialize for Snapshot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let program = Program {
            version: self.version.into(),
            taken_at_millis: Number(self.taken_at_millis),
            breakers: self.breakers.iter().map(Breaker::from).collect(),
            budgets: self.budgets.iter().map(Budget::from).collect(),
            functions: self.functions.iter().map(Function::from).collect(),
        };
        program.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Snapshot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let program = Program::deserialize(deserializer)?;
        let mut snapshot = Self {
            version: program.version.small(),
            taken_at_millis: program.taken_at_millis.0,
            breakers: Vec::new(),
            budgets: program.budgets.into_iter().map(Into::into).collect(),
            functions: program.functions.into_iter().map(Into::into).collect(),
            unreadable: Vec::new(),
        };
        for breaker in program.breakers {
            match breaker.read() {
                Ok(breaker) => snapshot.breakers.push(breaker),
                Err(Unreadable { name }) => snapshot.unreadable.push(name),
            }
        }
        Ok(snapshot)
    }
}

/// Each type by itself, as part of a larger answer.
macro_rules! by_itself {
    ($($public:ty, $wire:ident;)*) => {$(
        impl Serialize for $public {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $wire::from(self).serialize(serializer)
            }
        }
    )*};
}

by_itself! {
    BreakerSnapshot, Breaker;
    BudgetSnapshot, Budget;
    FunctionSnapshot, Function;
}

impl<'de> Deserialize<'de> for BreakerSnapshot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let breaker = Breaker::deserialize(deserializer)?;
        breaker.read().map_err(|_| D::Error::custom("the state of the breaker cannot be read"))
    }
}

impl<'de> Deserialize<'de> for BudgetSnapshot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Budget::deserialize(deserializer).map(Into::into)
    }
}

impl<'de> Deserialize<'de> for FunctionSnapshot {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Function::deserialize(deserializer).map(Into::into)
    }
}

/// A breaker whose state this version does not know.
struct Unreadable {
    name: String,
}

impl Breaker<'_> {
    fn read(self) -> Result<BreakerSnapshot, Unreadable> {
        let name = self.name.into_owned();
        let known = |status: &&BreakerStatus| match &self.held {
            None => !status.is_held() && status.as_str() == self.state,
            Some(held) => status.is_held() && status.as_str() == held,
        };
        let is_state = BreakerStatus::ALL.iter().any(|it| it.state().as_str() == self.state);
        let status = BreakerStatus::ALL.iter().find(known).filter(|_| is_state);
        let Some(&status) = status else { return Err(Unreadable { name }) };
        Ok(BreakerSnapshot {
            name,
            status,
            time_until_half_open: self
                .time_until_half_open_millis
                .map(|millis| Duration::from_millis(millis.0)),
            consecutive_openings: self.consecutive_openings.small(),
            failure_count: self.failure_count.small(),
            success_count: self.success_count.small(),
            window: self.window.map(Into::into),
            totals: self.totals.into(),
            last_change: self.last_change.map(Into::into),
        })
    }
}

impl<'s> From<&'s BreakerSnapshot> for Breaker<'s> {
    fn from(breaker: &'s BreakerSnapshot) -> Self {
        let millis = |left: Duration| u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
        Self {
            name: (&*breaker.name).into(),
            state: breaker.status.state().as_str().into(),
            held: breaker.status.is_held().then(|| breaker.status.as_str().into()),
            time_until_half_open_millis: breaker
                .time_until_half_open
                .map(|left| Number(millis(left))),
            consecutive_openings: breaker.consecutive_openings.into(),
            failure_count: breaker.failure_count.into(),
            success_count: breaker.success_count.into(),
            window: breaker.window.map(Into::into),
            totals: breaker.totals.into(),
            last_change: breaker.last_change.as_ref().map(Into::into),
        }
    }
}

impl<'s> From<&'s BreakerChange> for Change<'s> {
    fn from(change: &'s BreakerChange) -> Self {
        Self {
            at_millis: Number(change.at_millis),
            from: (&*change.from).into(),
            to: (&*change.to).into(),
            cause: (&*change.cause).into(),
        }
    }
}

impl From<Change<'_>> for BreakerChange {
    fn from(change: Change<'_>) -> Self {
        Self {
            at_millis: change.at_millis.0,
            from: change.from.into_owned(),
            to: change.to.into_owned(),
            cause: change.cause.into_owned(),
        }
    }
}

impl From<Window> for WindowStats {
    fn from(window: Window) -> Self {
        Self { calls: window.calls.0, failures: window.failures.0, slow_calls: window.slow_calls.0 }
    }
}

impl From<WindowStats> for Window {
    fn from(window: WindowStats) -> Self {
        Self {
            calls: Number(window.calls),
            failures: Number(window.failures),
            slow_calls: Number(window.slow_calls),
        }
    }
}

impl From<Totals> for BreakerTotals {
    fn from(totals: Totals) -> Self {
        Self {
            successes: totals.successes.0,
            failures: totals.failures.0,
            ignored: totals.ignored.0,
            slow_calls: totals.slow_calls.0,
            rejected: totals.rejected.0,
            transitions: totals.transitions.0,
        }
    }
}

impl From<BreakerTotals> for Totals {
    fn from(totals: BreakerTotals) -> Self {
        Self {
            successes: Number(totals.successes),
            failures: Number(totals.failures),
            ignored: Number(totals.ignored),
            slow_calls: Number(totals.slow_calls),
            rejected: Number(totals.rejected),
            transitions: Number(totals.transitions),
        }
    }
}

impl<'s> From<&'s BudgetSnapshot> for Budget<'s> {
    fn from(budget: &'s BudgetSnapshot) -> Self {
        Self {
            name: (&*budget.name).into(),
            capacity: budget.capacity.into(),
            available: budget.available.into(),
        }
    }
}

impl From<Budget<'_>> for BudgetSnapshot {
    fn from(budget: Budget<'_>) -> Self {
        Self {
            name: budget.name.into_owned(),
            capacity: budget.capacity.small(),
            available: budget.available.small(),
        }
    }
}

impl From<&DurationSnapshot> for CallDurations {
    fn from(durations: &DurationSnapshot) -> Self {
        let micros = |it: Duration| Number(u64::try_from(it.as_micros()).unwrap_or(u64::MAX));
        Self {
            count: Number(durations.count),
            p50_micros: micros(durations.p50),
            p90_micros: micros(durations.p90),
            p99_micros: micros(durations.p99),
            max_micros: micros(durations.max),
        }
    }
}

impl CallDurations {
    fn of(&self, outcome: CallOutcome) -> DurationSnapshot {
        DurationSnapshot {
            outcome,
            count: self.count.0,
            p50: Duration::from_micros(self.p50_micros.0),
            p90: Duration::from_micros(self.p90_micros.0),
            p99: Duration::from_micros(self.p99_micros.0),
            max: Duration::from_micros(self.max_micros.0),
        }
    }
}

impl<'s> From<&'s FunctionSnapshot> for Function<'s> {
    fn from(function: &'s FunctionSnapshot) -> Self {
        let counts = &function.counts;
        let named = |name: &'static str, count| (Cow::Borrowed(name), Number(count));
        let some = |(_, count): &(Cow<'s, str>, Number)| count.0 > 0;
        let outcomes = CallOutcome::ALL.iter();
        let kinds = ErrorKind::ALL.iter();
        let reasons = GiveUpReason::ALL.iter();
        Self {
            name: (&*function.name).into(),
            calls: outcomes.map(|it| named(it.as_str(), counts.calls(*it))).collect(),
            attempts: Number(counts.attempts()),
            retries: kinds.map(|it| named(it.as_str(), counts.retries(*it))).filter(some).collect(),
            gave_up: reasons
                .map(|it| named(it.as_str(), counts.gave_up(*it)))
                .filter(some)
                .collect(),
            durations: function
                .durations
                .iter()
                .map(|it| (it.outcome.as_str().into(), it.into()))
                .collect(),
            unknown_errors: Number(function.unknown_errors),
        }
    }
}

impl From<Function<'_>> for FunctionSnapshot {
    fn from(function: Function<'_>) -> Self {
        let of = |counts: &BTreeMap<Cow<'_, str>, Number>, name| {
            counts.get(name).map_or(0, |count| count.0)
        };
        let counts = CallCounts::by(
            |outcome| of(&function.calls, outcome.as_str()),
            |kind| of(&function.retries, kind.as_str()),
            |reason| of(&function.gave_up, reason.as_str()),
        );
        let of =
            |outcome: &CallOutcome| Some(function.durations.get(outcome.as_str())?.of(*outcome));
        Self {
            counts,
            durations: CallOutcome::ALL.iter().filter_map(of).collect(),
            unknown_errors: function.unknown_errors.0,
            name: function.name.into_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error as ValueError, F64Deserializer};

    use super::*;

    fn read(text: &str) -> Snapshot {
        serde_json::from_str(text).unwrap()
    }

    /// All of it.
    const WRITTEN: &str = r#"{"version":1,"taken_at_millis":1700000000000,"breakers":[{"name":"search","state":"open","held":null,"time_until_half_open_millis":1500,"consecutive_openings":2,"failure_count":5,"success_count":0,"window":{"calls":9,"failures":5,"slow_calls":1},"totals":{"successes":1,"failures":2,"ignored":3,"slow_calls":4,"rejected":5,"transitions":6},"last_change":{"at_millis":1700000000000,"from":"closed","to":"open","cause":"by hand"}},{"name":"write","state":"closed","held":"disabled","time_until_half_open_millis":null,"consecutive_openings":0,"failure_count":0,"success_count":0,"window":null,"totals":{"successes":0,"failures":0,"ignored":0,"slow_calls":0,"rejected":0,"transitions":0},"last_change":null}],"budgets":[{"name":"qdrant","capacity":500,"available":20}],"functions":[{"name":"app::search","calls":{"cancelled":5,"error":2,"rejected":3,"success":1,"timeout":4},"attempts":18,"retries":{"timeout_error":6},"gave_up":{"attempts_exhausted":2},"durations":{"success":{"count":1,"p50_micros":5,"p90_micros":9,"p99_micros":10,"max_micros":11}},"unknown_errors":7}]}"#;

    #[test]
    fn the_format_stays_as_it_is() {
        let snapshot = read(WRITTEN);
        assert_eq!(serde_json::to_string(&snapshot).unwrap(), WRITTEN);
        let [search, write] = snapshot.breakers() else { panic!("two are written") };
        assert_eq!(search.time_until_half_open, Some(Duration::from_millis(1_500)));
        assert_eq!((search.consecutive_openings, search.totals.transitions), (2, 6));
        assert_eq!(search.window.map(|window| window.calls), Some(9));
        assert_eq!(write.status, BreakerStatus::Disabled);
        assert_eq!(search.last_change.as_ref().unwrap().cause, "by hand");
        assert_eq!(snapshot.budgets()[0].spent(), 480);
        assert_eq!(snapshot.functions()[0].unknown_errors, 7);
        let counts = &snapshot.functions()[0].counts;
        assert_eq!(counts.calls(CallOutcome::Cancelled), 5);
        assert_eq!(snapshot.functions()[0].durations[0].p90, Duration::from_micros(9));
        assert_eq!(counts.retries(ErrorKind::TimeoutError), 6);
        assert_eq!(counts.gave_up(GiveUpReason::AttemptsExhausted), 2);
    }

    #[test]
    fn each_part_is_read_and_written_by_itself() {
        fn round<T: Serialize + for<'de> Deserialize<'de>>(part: &T) -> T {
            serde_json::from_str(&serde_json::to_string(part).unwrap()).unwrap()
        }
        let snapshot = read(WRITTEN);
        assert_eq!(round(&snapshot.breakers[0]), snapshot.breakers[0]);
        assert_eq!(round(&snapshot.budgets[0]), snapshot.budgets[0]);
        assert_eq!(round(&snapshot.functions[0]), snapshot.functions[0]);
        let unknown = serde_json::from_str::<BreakerSnapshot>(r#"{"name":"a","state":"ajar"}"#);
        assert!(unknown.unwrap_err().to_string().contains("cannot be read"));
    }

    #[test]
    fn a_number_out_of_range_is_the_nearest_that_fits() {
        for (text, expected) in [
            ("-1", 0),
            ("-9223372036854775808", 0),
            ("18446744073709551615", u32::MAX),
            ("1e300", u32::MAX),
            ("-1e300", 0),
            ("7.9", 7),
            ("null", 0),
            ("99999999999999999999999999", u32::MAX),
        ] {
            let text = format!(r#"{{"name":"a","state":"open","consecutive_openings":{text}}}"#);
            let breaker: BreakerSnapshot = serde_json::from_str(&text).unwrap();
            assert_eq!(breaker.consecutive_openings, expected, "{text}");
        }
        let nan: F64Deserializer<ValueError> = f64::NAN.into_deserializer();
        assert_eq!(nan.deserialize_u64(AnyNumber).unwrap().0, 0);
    }

    #[test]
    fn what_is_missing_is_empty_and_what_is_unknown_is_ignored() {
        assert_eq!(read("{}"), read(r#"{"version":null,"nodes":[{"name":1}],"breakers":[]}"#));
        assert_eq!(read("{}").version(), 0);
        let open = read(r#"{"version":1,"breakers":[{"name":"a","state":"open","x":{"y":[]}}]}"#);
        assert_eq!(open.breakers()[0].time_until_half_open, None);
    }

    #[test]
    fn a_breaker_in_an_unknown_state_does_not_hide_the_others() {
        let snapshot = read(
            r#"{"version":1,"breakers":[{"name":"a","state":"ajar"},{"name":"b"},
            {"name":"c","state":"open","held":"gently"},{"name":"d","state":"open"}]}"#,
        );
        assert_eq!(snapshot.unreadable, ["a", "b", "c"]);
        assert_eq!(snapshot.breakers().len(), 1);
    }

    #[test]
    fn what_is_no_snapshot_is_an_error() {
        for text in ["", "7", r#"{"breakers":7}"#, r#"{"breakers":[{"failure_count":"many"}]}"#] {
            assert!(serde_json::from_str::<Snapshot>(text).is_err(), "{text}");
        }
    }
}
