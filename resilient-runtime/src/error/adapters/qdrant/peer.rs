//! The status of another peer, which the server prints in its own answer.

use tonic::Code;

/// Reads the code and the message of a status at the beginning of `text`.
///
/// The server prints it with `Display`, which differs between versions of tonic:
///
/// - `status: Internal, message: "…", details: …` up to 0.13
/// - `status: 'Internal error', self: "…"` in the first of 0.14
/// - `code: 'Internal error', message: "…"` from then on
pub(super) fn status(text: &str) -> Option<(Code, String)> {
    let rest = text.strip_prefix("status: ").or_else(|| text.strip_prefix("code: "))?;
    let (code, rest) = code(rest)?;
    let quoted = [", message: \"", ", self: \""].iter().find_map(|key| rest.strip_prefix(key));
    Some((code, quoted.map(unquoted).unwrap_or_default()))
}

/// Reads the code at the beginning of `text`: its name, or its description in quotation marks.
fn code(text: &str) -> Option<(Code, &str)> {
    if let Some(quoted) = text.strip_prefix('\'') {
        return codes().find_map(|code| {
            let rest = quoted.strip_prefix(code.description())?.strip_prefix('\'')?;
            Some((code, rest))
        });
    }
    let end = text.find(|part: char| !part.is_ascii_alphabetic()).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    codes().find(|code| format!("{code:?}") == name).map(|code| (code, rest))
}

/// Returns all codes of gRPC: 0 to 16.
fn codes() -> impl Iterator<Item = Code> {
    (0..=16).map(Code::from_i32)
}

/// Returns the text before the closing quotation mark, without the escapes of `Debug`. If a message
/// was cut off, its end is the end of the text.
fn unquoted(text: &str) -> String {
    let mut plain = String::new();
    let mut parts = text.chars();
    while let Some(part) = parts.next() {
        match part {
            '"' => break,
            '\\' => match parts.next() {
                Some('n') => plain.push('\n'),
                Some('t') => plain.push('\t'),
                Some('r') => plain.push('\r'),
                Some(escaped) => plain.push(escaped),
                None => break,
            },
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use tonic::Status;

    use super::*;

    #[test]
    fn a_status_is_read_in_each_way_that_it_is_printed() {
        for printed in [
            "status: Unavailable, message: \"it \\\"says\\\"\\n no\", details: [], metadata: \
             MetadataMap { headers: {} }",
            "status: 'The service is currently unavailable', self: \"it \\\"says\\\"\\n no\"",
            "code: 'The service is currently unavailable', message: \"it \\\"says\\\"\\n no\"",
        ] {
            let expected = (Code::Unavailable, "it \"says\"\n no".to_owned());
            assert_eq!(status(printed), Some(expected), "{printed}");
        }
    }

    #[test]
    fn each_code_is_read_as_this_version_of_tonic_prints_it() {
        for code in codes() {
            let printed = Status::new(code, "a \\ \"quoted\" text").to_string();
            assert_eq!(status(&printed), Some((code, "a \\ \"quoted\" text".to_owned())));
            let printed = Status::new(code, "").to_string();
            assert_eq!(status(&printed), Some((code, String::new())));
        }
    }

    #[test]
    fn a_message_that_was_cut_off_is_read_as_far_as_it_goes() {
        let printed = "code: 'Internal error', message: \"Service inter";
        assert_eq!(status(printed), Some((Code::Internal, "Service inter".to_owned())));
    }

    #[test]
    fn another_text_is_no_status() {
        for text in ["", "status: ", "status: Fine, message: \"\"", "a code: 'Internal error'"] {
            assert_eq!(status(text), None, "{text}");
        }
    }
}
