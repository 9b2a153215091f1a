//! A status of another peer of the cluster, as the server prints it in its own answer.

use tonic::Code;

/// The code and the message of a status that `text` begins with.
///
/// The server prints it by `Display`, and versions of tonic differ:
///
/// - `status: Internal, message: "…", details: …` up to 0.13
/// - `status: 'Internal error', self: "…"` in the first of 0.14
/// - `code: 'Internal error', message: "…"` from then on
pub(super) fn status(text: &str) -> Option<(Code, String)> {
    if let Some(rest) = text.strip_prefix("status: ").or_else(|| text.strip_prefix("code: ")) {
        let (code, rest) = code(rest)?;
        let quoted = [", message: \"", ", self: \""].iter().find_map(|key| rest.strip_prefix(key));
        return Some((code, quoted.map(unquoted).unwrap_or_default()));
    }
    None
}

/// The code that `text` begins with, by its name or by its description in quotation marks.
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

/// gRPC has the codes 0 to 16.
fn codes() -> impl Iterator<Item = Code> {
    (0..=16).map(Code::from_i32)
}

/// The text up to its closing quotation mark, as it was before `Debug` escaped it. A message may
/// have been cut off on its way: then the text ends where it ends.
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
