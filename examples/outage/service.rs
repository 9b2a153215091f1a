//! The service under test: it stores the known digits, and classifies those that are held back.

use std::env;
use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::ProgressBar;
use qdrant_client::qdrant::value::Kind;
use qdrant_client::qdrant::{
    CountPointsBuilder, CreateCollectionBuilder, Distance, PointStruct, SearchResponse,
    StrictModeConfigBuilder, VectorParamsBuilder,
};
use qdrant_client::{Payload, Qdrant, QdrantError};
use resilient_examples::api_key;
use resilient_runtime::{Classify, ErrorKind};
use resilient_testkit::{EmbeddedQdrant, Fault, Method};
use tokio::task::JoinSet;
use tokio::time::{interval, sleep};

use crate::calls;
use crate::digits::{Digit, PIXELS};
use crate::picture::{Outcome, Timeline};

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// Points in one upsert.
const BATCH: usize = 64;

/// Points that the server takes in a minute: fewer than there are, so that the last ones have to
/// wait.
const WRITES_A_MINUTE: u32 = 1440;

/// A digit comes in this often.
const ARRIVAL: Duration = Duration::from_millis(12);

/// How long the server is slow, and then down.
pub const SLOW: Duration = Duration::from_secs(1);
pub const DOWN: Duration = Duration::from_millis(1500);

/// How often a digit is tried at most.
const PATIENCE: u32 = 1000;

/// What a search takes while the server is slow.
const SLOW_SEARCH: Duration = Duration::from_millis(40);

/// Whether the service has policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Plain,
    Resilient,
}

/// The service with its server.
pub struct Service {
    pub name: &'static str,
    manner: Manner,
    client: Qdrant,
    collection: String,
    /// None where the server is a real one.
    embedded: Option<EmbeddedQdrant>,
    faults: bool,
    tally: Arc<Tally>,
}

/// What has happened so far.
#[derive(Default)]
struct Tally {
    calls: AtomicU64,
    answered: AtomicU64,
    failed_fast: AtomicU64,
    failed: AtomicU64,
    correct: AtomicU64,
    timeline: Timeline,
}

/// What has happened in all.
#[derive(Clone, Copy, Debug)]
pub struct Report {
    pub calls: u64,
    pub answered: u64,
    pub failed_fast: u64,
    pub failed: u64,
    /// None where the server is a real one, which does not say.
    pub requests: Option<u64>,
    pub stored: u64,
    pub sent: u64,
    pub correct: u64,
    pub asked: u64,
}

/// Whether the servers are embedded ones, which can be made to fail.
pub fn is_embedded() -> bool {
    env::var_os("QDRANT_URL").is_none()
}

impl Service {
    /// A service with a collection of its own: on the server that `QDRANT_URL` names, which is left
    /// in peace, or else on an embedded one, with `faults` or without.
    pub async fn start(name: &'static str, manner: Manner, faults: bool) -> Result<Self> {
        let url = env::var("QDRANT_URL").ok();
        let embedded = match url {
            Some(_) => None,
            None => Some(EmbeddedQdrant::start().await?),
        };
        let client = match (&embedded, url) {
            (None, Some(url)) => Qdrant::from_url(&url).api_key(api_key()?).build()?,
            (Some(server), _) => server.client(),
            (None, None) => unreachable!("without a URL there is an embedded server"),
        };
        let collection = format!("digits-{}-{}", name.replace(' ', "-"), std::process::id());
        let faults = faults && embedded.is_some();
        let tally = Arc::default();
        let service = Self { name, manner, client, collection, embedded, faults, tally };
        service.create_collection().await?;
        Ok(service)
    }

    async fn create_collection(&self) -> Result<(), QdrantError> {
        let vectors = VectorParamsBuilder::new(PIXELS as u64, Distance::Euclid);
        let mut create = CreateCollectionBuilder::new(&self.collection).vectors_config(vectors);
        if self.faults {
            let limit =
                StrictModeConfigBuilder::default().enabled(true).write_rate_limit(WRITES_A_MINUTE);
            create = create.strict_mode_config(limit);
        }
        self.client.create_collection(create).await?;
        Ok(())
    }

    /// Stores the digits in batches. A batch that fails is lost: whether one does is the policy's
    /// business.
    pub async fn store(&self, digits: &[Digit], bar: &ProgressBar) {
        for (batch, digits) in digits.chunks(BATCH).enumerate() {
            let first = batch * BATCH;
            let points = (first..).zip(digits).map(|(id, digit)| point(id as u64, digit)).collect();
            let (client, collection) = (&self.client, &self.collection);
            let stored = match self.manner {
                Manner::Plain => calls::plain::upsert(client, collection, points).await,
                Manner::Resilient => calls::resilient::upsert(client, collection, points).await,
            };
            self.tally.count(&stored);
            bar.inc(digits.len() as u64);
        }
    }

    /// Classifies the digits as they come in, while the server is slow, then down, then back.
    pub async fn classify(&self, digits: &[Digit], bar: &ProgressBar, say: impl Fn(&str)) {
        self.timeline().start();
        let work = async {
            let mut searches = JoinSet::new();
            let mut arrivals = interval(ARRIVAL);
            for digit in digits {
                arrivals.tick().await;
                searches.spawn(self.search(digit.clone(), bar.clone()));
            }
            searches.join_all().await;
        };
        let outage = async {
            if let Some(server) = self.embedded.as_ref().filter(|_| self.faults) {
                fail(server, say).await;
            }
        };
        tokio::join!(work, outage);
    }

    /// One digit. Like any worker with a queue, it comes back to one that it could not classify, in
    /// either manner, while the error says that this may help.
    fn search(&self, digit: Digit, bar: ProgressBar) -> impl Future<Output = ()> + use<> {
        let (client, collection) = (self.client.clone(), self.collection.clone());
        let (tally, manner) = (Arc::clone(&self.tally), self.manner);
        async move {
            for _ in 0..PATIENCE {
                let pixels = digit.pixels.clone();
                let found = match manner {
                    Manner::Plain => calls::plain::search(&client, &collection, pixels).await,
                    Manner::Resilient => {
                        calls::resilient::search(&client, &collection, pixels).await
                    }
                };
                tally.count(&found);
                match found {
                    Ok(found) if label(&found) == Some(digit.label) => {
                        tally.correct.fetch_add(1, Ordering::Relaxed);
                        break;
                    }
                    Ok(_) => break,
                    Err(error) => match worth_coming_back(&error) {
                        Some(wait) => sleep(wait).await,
                        None => break,
                    },
                }
            }
            bar.inc(1);
        }
    }

    /// What has happened.
    pub async fn report(&self, sent: usize, asked: usize) -> Result<Report, QdrantError> {
        let count = CountPointsBuilder::new(&self.collection).exact(true);
        let counted = self.client.count(count).await?.result;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Ok(Report {
            calls: read(&self.tally.calls),
            answered: read(&self.tally.answered),
            failed_fast: read(&self.tally.failed_fast),
            failed: read(&self.tally.failed),
            requests: self
                .embedded
                .as_ref()
                .map(|server| server.requests(Method::UPSERT) + server.requests(Method::SEARCH)),
            stored: counted.map_or(0, |counted| counted.count),
            sent: sent as u64,
            correct: read(&self.tally.correct),
            asked: asked as u64,
        })
    }

    /// Its calls since the first digit came in.
    pub fn timeline(&self) -> &Timeline {
        &self.tally.timeline
    }

    /// Leaves no collection behind.
    pub async fn clean_up(&self) -> Result<(), QdrantError> {
        self.client.delete_collection(&self.collection).await?;
        Ok(())
    }
}

impl Tally {
    fn count<T>(&self, result: &Result<T, QdrantError>) {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let (counter, outcome) = match result {
            Ok(_) => (&self.answered, Outcome::Answered),
            Err(error) if error.kind() == ErrorKind::CircuitOpen => {
                (&self.failed_fast, Outcome::FailedFast)
            }
            Err(_) => (&self.failed, Outcome::Failed),
        };
        counter.fetch_add(1, Ordering::Relaxed);
        self.timeline.record(outcome);
    }
}

/// How long to wait before a digit is tried again; none where that would not help.
fn worth_coming_back(error: &QdrantError) -> Option<Duration> {
    const PAUSE: Duration = Duration::from_millis(50);
    let kind = error.kind();
    let passes = kind.is_transient() || kind == ErrorKind::CircuitOpen;
    passes.then(|| error.retry_after().unwrap_or_default().max(PAUSE))
}

/// Slow, then down, then back.
async fn fail(server: &EmbeddedQdrant, say: impl Fn(&str)) {
    say("the server is slow");
    let slow = server.script(Fault::delay(SLOW_SEARCH).on(Method::SEARCH));
    sleep(SLOW).await;
    slow.remove();
    say("the server is down");
    server.connections().refuse();
    server.connections().reset();
    sleep(DOWN).await;
    say("the server is back");
    server.connections().allow();
}

fn point(id: u64, digit: &Digit) -> PointStruct {
    let mut payload = Payload::new();
    payload.insert("label", digit.label);
    PointStruct::new(id, digit.pixels.clone(), payload)
}

/// The label of the nearest digit.
fn label(found: &SearchResponse) -> Option<i64> {
    match found.result.first()?.payload.get("label")?.kind.as_ref()? {
        Kind::IntegerValue(label) => Some(*label),
        _ => None,
    }
}
