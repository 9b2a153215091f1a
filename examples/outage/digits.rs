//! The input: 1,797 handwritten digits (origin: `data/README.md`).

use std::io::{self, BufRead, BufReader};

use flate2::bufread::GzDecoder;

static CSV: &[u8] = include_bytes!("../data/digits.csv.gz");

/// How many gray values a digit has.
pub const PIXELS: usize = 64;

/// Of so many digits, one is held back to be classified.
const HELD_BACK: usize = 6;

/// An image and what it shows.
#[derive(Clone, Debug)]
pub struct Digit {
    pub pixels: Vec<f32>,
    pub label: i64,
}

/// The digits to store, and those that are held back.
pub struct Digits {
    pub known: Vec<Digit>,
    pub held_back: Vec<Digit>,
}

pub fn load() -> io::Result<Digits> {
    let mut digits = Digits { known: Vec::new(), held_back: Vec::new() };
    for (index, line) in BufReader::new(GzDecoder::new(CSV)).lines().enumerate() {
        let digit = parse(&line?)?;
        let part = if index % HELD_BACK == 0 { &mut digits.held_back } else { &mut digits.known };
        part.push(digit);
    }
    Ok(digits)
}

fn parse(line: &str) -> io::Result<Digit> {
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, format!("not a digit: {line}"));
    let (pixels, label) = line.rsplit_once(',').ok_or_else(wrong)?;
    let pixels: Option<Vec<f32>> = pixels.split(',').map(|value| value.parse().ok()).collect();
    let pixels = pixels.filter(|pixels| pixels.len() == PIXELS).ok_or_else(wrong)?;
    Ok(Digit { pixels, label: label.parse().map_err(|_| wrong())? })
}
