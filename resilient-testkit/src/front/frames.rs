//! Finds the start of responses in the bytes that a server sends.

use std::collections::HashSet;

const HEADER: usize = 9;
const DATA: u8 = 0x0;
const HEADERS: u8 = 0x1;
const RST_STREAM: u8 = 0x3;
const END_STREAM: u8 = 0x1;

/// Follows the HTTP/2 frames of one direction of a connection, from its first byte on.
#[derive(Debug, Default)]
pub(super) struct Frames {
    header: [u8; HEADER],
    /// How many bytes of `header` have been read.
    seen: usize,
    /// How many bytes of the current frame's payload are still to come.
    payload: usize,
    /// The streams whose response has started but not ended. Their next headers are trailers.
    answering: HashSet<u32>,
}

/// The offset of a response in the bytes just read. It is negative if the first bytes of the response
/// were read before.
pub(super) type AnswerStart = isize;

impl Frames {
    /// Reads more bytes, and returns the start of the first new response in them.
    pub(super) fn read(&mut self, bytes: &[u8]) -> Option<AnswerStart> {
        let mut first = None;
        let mut at = 0;
        while at < bytes.len() {
            if self.payload > 0 {
                let skipped = self.payload.min(bytes.len() - at);
                self.payload -= skipped;
                at += skipped;
                continue;
            }
            self.header[self.seen] = bytes[at];
            self.seen += 1;
            at += 1;
            if self.seen == HEADER {
                self.seen = 0;
                if self.begin_frame() {
                    first = first.or(Some(at.cast_signed() - HEADER.cast_signed()));
                }
            }
        }
        first
    }

    /// Begins a frame, whose header is complete. Returns whether a response starts with it.
    fn begin_frame(&mut self) -> bool {
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3] = self.header;
        self.payload = u32::from_be_bytes([0, l0, l1, l2]) as usize;
        let stream = u32::from_be_bytes([s0, s1, s2, s3]) & (u32::MAX >> 1);
        let starts = kind == HEADERS && self.answering.insert(stream);
        let ends = matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0;
        if ends || kind == RST_STREAM {
            self.answering.remove(&stream);
        }
        starts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, flags: u8, stream: u8, payload: usize) -> Vec<u8> {
        let length = u8::try_from(payload).expect("a small frame");
        let mut bytes = vec![0, 0, length, kind, flags, 0, 0, 0, stream];
        bytes.extend(vec![0; payload]);
        bytes
    }

    #[test]
    fn an_answer_starts_with_its_first_headers() {
        let mut frames = Frames::default();
        let settings = frame(0x4, 0, 0, 6);
        assert_eq!(frames.read(&settings), None);
        let mut bytes = settings.clone();
        bytes.extend(frame(HEADERS, 0, 1, 20));
        assert_eq!(frames.read(&bytes), Some(15));
    }

    #[test]
    fn trailers_start_no_answer() {
        let mut frames = Frames::default();
        assert_eq!(frames.read(&frame(HEADERS, 0, 1, 3)), Some(0));
        assert_eq!(frames.read(&frame(DATA, 0, 1, 30)), None);
        assert_eq!(frames.read(&frame(HEADERS, END_STREAM, 1, 3)), None);
        assert_eq!(frames.read(&frame(HEADERS, END_STREAM, 3, 3)), Some(0));
        assert!(frames.answering.is_empty());
    }

    #[test]
    fn a_reset_ends_an_answer() {
        let mut frames = Frames::default();
        frames.read(&frame(HEADERS, 0, 1, 3));
        frames.read(&frame(RST_STREAM, 0, 1, 4));
        assert!(frames.answering.is_empty());
    }

    #[test]
    fn frames_may_be_torn_anywhere() {
        let mut bytes = frame(0x4, 0, 0, 6);
        bytes.extend(frame(HEADERS, 0, 1, 5));
        for torn in 1..bytes.len() {
            let mut frames = Frames::default();
            let before = frames.read(&bytes[..torn]);
            let after = frames.read(&bytes[torn..]);
            let start = before.or(after.map(|at| at + torn.cast_signed()));
            assert_eq!(start, Some(15), "torn at {torn}");
            assert!(before.is_none() || after.is_none());
        }
    }
}
