//! A user's own link-time lists, under the names that ours have in this library.

use std::error::Error;

use linkme::distributed_slice;
use resilient_runtime::{Classify, ErrorKind, catalog, policies, resilient};
use resilient_user_2024::shapes::Failure;

#[distributed_slice]
static SITES: [u32];
#[distributed_slice]
static BREAKERS: [u64];
#[distributed_slice]
static ROWS: [&'static str];
#[distributed_slice]
static BUDGETS: [u8];
#[distributed_slice]
static PASSED_OVER: [u16];

#[distributed_slice]
static ERRORS: [i64];

#[distributed_slice(SITES)]
static SITE: u32 = 1;
#[distributed_slice(BREAKERS)]
static BREAKER: u64 = 2;
#[distributed_slice(ROWS)]
static ROW: &str = "first";
#[distributed_slice(BUDGETS)]
static BUDGET: u8 = 3;
#[distributed_slice(ERRORS)]
static ERROR: i64 = 4;
#[distributed_slice(PASSED_OVER)]
static METHOD: u16 = 5;

policies! {
    breaker "search" { failure_threshold: 2 }
    retry "patient" { max_attempts: 2 }
    budget "searches" {}
}

#[resilient(retry = "patient", breaker = "search", budget = "searches")]
async fn search() -> Result<u32, Failure> {
    Ok(7)
}

struct Store;

#[resilient(retry = "patient")]
impl Store {
    async fn search(&self) -> Result<u32, Failure> {
        Ok(self.size())
    }

    fn size(&self) -> u32 {
        7
    }
}

#[tokio::test]
async fn lists_of_the_same_names_do_not_meet() {
    assert_eq!(search().await.unwrap(), 7);
    assert_eq!(Store.search().await.unwrap(), 7);
    let catalog = catalog();
    assert!(catalog.functions().iter().any(|function| function.name() == "sections::search"));
    assert!(catalog.breakers().iter().any(|breaker| breaker.name() == "search"));
    assert!(catalog.rows().iter().any(|row| row.name() == "patient"));
    assert!(catalog.budgets().iter().any(|budget| budget.name() == "searches"));
    assert!(catalog.passed_over().iter().any(|it| it.name() == "sections::Store::size"));
    assert_eq!(&PASSED_OVER[..], &[5]);
    assert_eq!(
        (&SITES[..], &BREAKERS[..], &ROWS[..], &BUDGETS[..], &ERRORS[..]),
        (&[1][..], &[2][..], &["first"][..], &[3][..], &[4][..])
    );
    let failure: Box<dyn Error + Send + Sync> = Failure::Down.into();
    assert_eq!(failure.kind(), ErrorKind::ServiceUnavailable);
}
