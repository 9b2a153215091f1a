//! What is taken beside `self`, by value and by reference, by name and by pattern.

use super::*;

struct Query {
    text: String,
    limit: u32,
}

impl Clone for Query {
    fn clone(&self) -> Self {
        Self { text: self.text.clone(), limit: self.limit }
    }
}

#[resilient(retry)]
async fn destructured(
    service: &Flaky,
    Query { text, mut limit }: Query,
    [first, .., last]: [u32; 3],
    &(left, right): &(u32, u32),
    _: String,
    #[cfg(test)] present: u32,
    #[cfg(not(test))] absent: u32,
) -> Result<String, Failure> {
    limit += service.ask()?;
    Ok(format!("{text} {limit} {first} {last} {left} {right} {present}"))
}

#[resilient(retry)]
async fn ignoring(
    service: &Flaky,
    #[expect(unused_variables)] unused: u32,
    _ignored: String,
) -> Result<u32, Failure> {
    service.ask()
}

#[resilient(retry)]
async fn rebound(
    service: &Flaky,
    mut view: &str,
    mut sum: &mut u32,
    r#type: String,
) -> Result<(String, String), Failure> {
    view = &view[1..];
    sum = &mut *sum;
    *sum += 1;
    service.ask()?;
    Ok((view.to_owned(), r#type))
}

#[tokio::test(start_paused = true)]
async fn every_pattern_serves() {
    let query = Query { text: "q".into(), limit: 10 };
    let call = destructured(&Flaky::default(), query, [1, 2, 3], &(4, 5), String::new(), 6).await;
    assert_eq!(call.unwrap(), "q 13 1 3 4 5 6");

    assert_eq!(ignoring(&Flaky::default(), 0, String::new()).await, Ok(3));

    let mut sum = 0;
    let (view, raw) = rebound(&Flaky::default(), "view", &mut sum, "t".into()).await.unwrap();
    assert_eq!((view.as_str(), raw.as_str(), sum), ("iew", "t", 3));
}
