//! What cannot be done again.

use std::pin::Pin;

use resilient_runtime::resilient;
use resilient_tests::Failure;

macro_rules! my_format {
    ($text:literal) => {
        format!($text)
    };
}

#[derive(Clone, Debug)]
struct Store(Vec<u32>);

impl Store {
    #[resilient(retry)]
    async fn first(&mut self) -> Result<&mut u32, Failure> {
        Ok(&mut self.0[0])
    }

    #[resilient(retry)]
    async fn pinned(self: Pin<&mut Self>) -> Result<&u32, Failure> {
        Ok(&self.get_mut().0[0])
    }

    #[resilient(retry)]
    async fn through_a_macro(&mut self) -> Result<String, Failure> {
        let text = my_format!("{self:?}");
        let this = self;
        this.0.push(1);
        Ok(text)
    }
}

#[resilient(retry)]
async fn named<'a, 'b>(list: &'a mut Vec<u32>, _other: &'b u32) -> Result<&'a u32, Failure> {
    Ok(&list[0])
}

#[resilient(retry)]
async fn elided(list: &mut Vec<u32>) -> Result<std::slice::Iter<'_, u32>, Failure> {
    Ok(list.iter())
}

#[resilient(retry)]
async fn pinned<'a>(list: Pin<&'a mut Vec<u32>>, _other: &u32) -> Result<&'a u32, Failure> {
    Ok(&list.get_mut()[0])
}

type Log = &'static mut Vec<u32>;

#[resilient(retry)]
async fn alias(list: Log) -> Result<(), Failure> {
    list.push(1);
    Ok(())
}

#[resilient(retry)]
async fn exclusive<'a>(list: &'a mut [u32], _other: &'a u32) -> Result<&'a mut u32, Failure> {
    Ok(&mut list[0])
}

#[resilient(retry)]
async fn undecided<'a>(list: &'a mut Vec<u32>, _other: &'a u32) -> Result<&'a u32, Failure> {
    Ok(&list[0])
}

#[derive(Debug)]
struct Unclonable;

impl Unclonable {
    #[resilient(retry)]
    async fn moved(self) -> Result<(), Failure> {
        Ok(())
    }
}

fn main() {}
