//! Generics, lifetimes and `impl Trait`.

use super::*;

#[resilient(retry)]
async fn of_everything<'a, T, const N: usize>(
    service: &Flaky,
    named: &'a str,
    elided: &str,
    value: T,
    array: [u8; N],
) -> Result<(&'a str, usize, T, usize), Failure>
where
    T: Clone + Debug,
{
    service.ask()?;
    Ok((named, elided.len(), value, array.len()))
}

#[resilient(retry, breaker = "generics")]
async fn opaque(
    service: &Flaky,
    shown: impl Display + Clone + Send,
) -> Result<impl Iterator<Item = String>, Failure> {
    let attempt = service.ask()?;
    Ok((0..attempt).map(move |number| format!("{shown}{number}")))
}

#[tokio::test(start_paused = true)]
async fn generics_and_lifetimes_serve() {
    let call = of_everything(&Flaky::default(), "named", "elided", 'x', [0; 4]).await;
    assert_eq!(call, Ok(("named", 6, 'x', 4)));
    let service = Flaky::default();
    let call = assert_send(opaque(&service, 'n')).await.unwrap();
    assert_eq!(call.collect::<Vec<_>>(), ["n0", "n1", "n2"]);
}
