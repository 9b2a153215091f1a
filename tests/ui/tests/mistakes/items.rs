//! Items that are no function.

use resilient_runtime::resilient;
use resilient_tests::Failure;

#[resilient(retry = "auto")]
struct Store;

#[resilient(retry = "auto")]
pub enum Answer {
    None,
}

#[resilient(retry = "auto")]
trait Search {
    async fn search(&self) -> Result<(), Failure>;
}

trait Scroll {
    #[resilient(retry = "auto")]
    async fn scroll(&self) -> Result<(), Failure>;
}

#[resilient(retry = "auto")]
const LIMIT: u32 = 10;

#[resilient(retry = "auto")]
mod search {}

fn main() {
    let _ = (Store, Answer::None, LIMIT);
}
