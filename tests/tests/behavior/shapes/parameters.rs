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

mod board {
    /// No `Pin` of the standard library.
    #[derive(Clone)]
    pub struct Pin<T: Copy>(pub std::cell::Cell<T>);
}

#[resilient(retry)]
async fn numbers(
    service: &Flaky,
    mut count: u32,
    ref mut sum: u32,
    pin: board::Pin<u32>,
) -> Result<(u32, u32, u32), Failure> {
    count += 1;
    *sum += 1;
    pin.0.set(pin.0.get() + 1);
    service.ask()?;
    Ok((count, *sum, pin.0.into_inner()))
}

#[tokio::test(start_paused = true)]
async fn each_attempt_has_numbers_of_its_own() {
    let call = numbers(&Flaky::default(), 1, 2, board::Pin(3.into())).await;
    assert_eq!(call, Ok((2, 3, 4)));
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

trait Note: Send {
    fn note(&mut self, number: u32);
}

impl Note for Vec<u32> {
    fn note(&mut self, number: u32) {
        self.push(number);
    }
}

#[resilient(retry, breaker = "parameters")]
async fn lent(
    service: &Flaky,
    object: &mut dyn Note,
    slice: &mut [u32],
    &mut (ref mut left, right): &mut (u32, u32),
    pinned: Pin<&mut Vec<u32>>,
    call: &mut (dyn FnMut() -> u32 + Send),
) -> Result<u32, Failure> {
    object.note(right);
    slice[0] += 1;
    *left += 1;
    pinned.get_mut().push(1);
    let called = call();
    tokio::task::yield_now().await;
    Ok(service.ask()? + called)
}

#[tokio::test(start_paused = true)]
async fn each_attempt_borrows_what_is_exclusive() {
    let (mut object, mut slice, mut pair, mut pinned) = (vec![], [0; 2], (0, 7), vec![]);
    let mut calls = 0;
    let mut count = || {
        calls += 1;
        calls
    };
    let service = Flaky::default();
    let pin = Pin::new(&mut pinned);
    let call = lent(&service, &mut object, &mut slice, &mut pair, pin, &mut count);
    assert_eq!(assert_send(call).await, Ok(6));
    assert_eq!((object, slice, pair, pinned), (vec![7, 7, 7], [3, 0], (3, 7), vec![1, 1, 1]));
}

type Log<'l> = &'l mut Vec<u32>;
type Pinned<'p, T> = Pin<&'p mut T>;

/// What is named by a type with a lifetime, and is no alias.
#[derive(Clone)]
struct View<'v>(&'v str);

#[resilient(retry, breaker = "parameters")]
async fn aliased(
    service: &Flaky,
    log: Log<'_>,
    mut pinned: Pinned<'_, Vec<u32>>,
    View(view): View<'_>,
    optional: Option<View<'_>>,
) -> Result<usize, Failure> {
    log.push(1);
    pinned.as_mut().get_mut().push(2);
    let attempt = service.ask()? as usize;
    Ok(attempt + view.len() + optional.map_or(0, |view| view.0.len()))
}

#[tokio::test(start_paused = true)]
async fn each_attempt_borrows_what_an_alias_of_a_reference_names() {
    let (mut log, mut pinned) = (vec![], vec![]);
    let service = Flaky::default();
    let call = aliased(&service, &mut log, Pin::new(&mut pinned), View("four"), Some(View("more")));
    assert_eq!(assert_send(call).await, Ok(3 + 8));
    assert_eq!((log, pinned), (vec![1; 3], vec![2; 3]));
}

#[resilient(retry, breaker = "parameters")]
async fn owned(
    service: Arc<Flaky>,
    ref text: String,
    pair @ (left, _): (u32, u32),
    nothing: (),
    optional: Option<Vec<u32>>,
    call: impl Fn() -> u32 + Clone + Send,
    pointer: fn(u32) -> u32,
) -> Result<String, Failure> {
    let sum: u32 = optional.into_iter().flatten().sum();
    let attempt = service.ask()?;
    Ok(format!("{text} {pair:?} {left} {nothing:?} {sum} {} {}", call(), pointer(attempt)))
}

#[tokio::test(start_paused = true)]
async fn each_attempt_owns_what_is_taken_by_value() {
    let call =
        owned(Arc::default(), "t".into(), (1, 2), (), Some(vec![3, 4]), || 5, |number| number * 2);
    assert_eq!(assert_send(call).await.unwrap(), "t (1, 2) 1 () 7 5 6");
}
