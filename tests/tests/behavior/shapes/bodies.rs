//! What a body may be and do.

use super::*;

#[resilient(retry)]
async fn leaves_early(service: &Flaky, early: bool) -> Result<Box<dyn Display>, Failure> {
    service.ask()?;
    if early {
        return Ok(Box::new("early"));
    }
    Ok(Box::new(7))
}

#[resilient(retry)]
async fn has_labels(service: &Flaky) -> Result<u32, Failure> {
    let mut rounds = 0;
    'outer: loop {
        loop {
            rounds += 1;
            if rounds == 4 {
                break 'outer;
            }
            if rounds % 2 == 0 {
                continue 'outer;
            }
        }
    }
    let sum = async { rounds + [1, 2].iter().map(|one| one * rounds).sum::<u32>() }.await;
    Ok(sum + service.ask()?)
}

#[resilient(retry, breaker = "recursion")]
async fn recurses(service: &Flaky, depth: u32) -> Result<u32, Failure> {
    if depth == 0 {
        return service.ask();
    }
    Ok(1 + Box::pin(recurses(service, depth - 1)).await?)
}

#[resilient(retry)]
async fn never_succeeds() -> Result<u32, Failure> {
    Err(WRONG)
}

#[resilient(retry)]
async fn diverges(service: &Flaky) -> Result<u32, Failure> {
    let attempt = service.ask()?;
    if attempt < 3 {
        unreachable!("the first attempts fail");
    } else {
        return Ok(attempt);
    }
}

#[rustfmt::skip]
#[resilient(retry)]
async fn on_one_line(service: &Flaky) -> Result<u32, Failure> { service.ask() }

#[resilient(retry, breaker = "bodies")]
async fn has_attributes_of_its_own(service: &Flaky, unused: u32) -> Result<u32, Failure> {
    //! Documented here.
    #![allow(unused_variables)]
    #![expect(clippy::similar_names)]
    let (similar_name, similar_same) = (1, 2);
    Ok(service.ask()? + similar_name + similar_same)
}

#[resilient(breaker = "bodies")]
async fn has_attributes_and_runs_once(unused: u32) -> Result<u32, Failure> {
    #![allow(unused_variables)]
    Ok(1)
}

/// Draws no warning of code that is not reached.
#[resilient(retry, breaker = "bodies")]
async fn _unfinished() -> Result<u32, Failure> {
    unimplemented!("some day")
}

#[resilient(breaker = "bodies")]
async fn _unfinished_too() -> Result<u32, Failure> {
    unimplemented!("some day")
}

#[tokio::test(start_paused = true)]
async fn every_body_serves() {
    let early = leaves_early(&Flaky::default(), true).await.unwrap();
    assert_eq!(early.to_string(), "early");
    let late = leaves_early(&Flaky::default(), false).await.unwrap();
    assert_eq!(late.to_string(), "7");
    assert_eq!(has_labels(&Flaky::default()).await, Ok(4 + 12 + 3));
    assert_eq!(recurses(&Flaky::default(), 5).await, Ok(8));
    assert_eq!(on_one_line(&Flaky::default()).await, Ok(3));
    assert_eq!(has_attributes_of_its_own(&Flaky::default(), 0).await, Ok(6));
    assert_eq!(has_attributes_and_runs_once(0).await, Ok(1));
    assert_eq!(never_succeeds().await, Err(WRONG));
    assert_eq!(diverges(&Flaky::default()).await, Ok(3));
}
