//! `guard!` on calls that it cannot guard.

use resilient_runtime::guard;
use resilient_tests::Failure;

#[derive(Debug)]
struct Unclassified;

async fn ask(question: String) -> Result<String, Failure> {
    Ok(question)
}

async fn unclassified() -> Result<(), Unclassified> {
    Ok(())
}

async fn no_result() -> u32 {
    7
}

async fn no_semicolon() {
    let _ = guard!(retry = "auto", ask(String::new())).await;
}

async fn no_call() {
    let _: Result<String, Failure> = guard!(retry = "auto";).await;
}

async fn no_policy() {
    let _ = guard!(; ask(String::new())).await;
}

async fn two_calls() {
    let _ = guard!(retry = "auto"; ask(String::new()).await; ask(String::new())).await;
}

async fn unknown_key() {
    let _ = guard!(retries = "auto"; ask(String::new())).await;
}

async fn unknown_variable() {
    let _ = guard!(breaker = "ask/{tenant}"; ask(String::new())).await;
}

async fn no_future() {
    let _ = guard!(retry = "auto"; Ok::<_, Failure>(7)).await;
}

async fn returns_no_result() {
    let _ = guard!(retry = "auto"; no_result()).await;
}

async fn does_not_classify() {
    let _ = guard!(retry = "auto"; unclassified()).await;
}

async fn cannot_carry_a_rejection() {
    let _ = guard!(breaker = "ask"; std::future::ready(Err::<(), _>(std::fmt::Error))).await;
}

async fn moves_a_value_twice() {
    let question = String::new();
    let _ = guard!(retry = "auto"; ask(question)).await;
}

fn main() {}
