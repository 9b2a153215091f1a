//! A file that is watched.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use resilient_runtime::{Settings, breaker};

use super::Turn;

/// A file in a folder of its own, which is removed at the end.
struct File(PathBuf);

impl File {
    fn new(name: &str, text: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("resilient-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = Self(folder.join("settings.toml"));
        file.write(text);
        file
    }

    fn write(&self, text: &str) {
        fs::write(&self.0, text).unwrap();
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(self.0.parent().unwrap());
    }
}

/// Waits until this holds.
fn wait_until(holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "nothing happened");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn threshold() -> Option<u32> {
    breaker("reads").unwrap().config().failure_threshold()
}

fn of(threshold: u32) -> String {
    format!("[breaker.reads]\nfailure_threshold = {threshold}\n")
}

#[test]
fn a_change_of_the_file_is_applied_and_a_mistake_keeps_the_last_good_settings() {
    let _turn = Turn::take();
    let file = File::new("watched", &of(7));
    let watch = Settings::watch(&file.0).unwrap();
    assert_eq!(threshold(), Some(7), "at once");
    file.write(&of(8));
    wait_until(|| threshold() == Some(8));
    assert_eq!(watch.error(), None);

    file.write("[breaker.reads]\nfailure_thresh");
    wait_until(|| watch.error().is_some());
    let mistake = watch.error().unwrap();
    assert!(mistake.problems()[0].file().unwrap().ends_with("settings.toml"));
    assert_eq!((mistake.problems()[0].line(), threshold()), (Some(2), Some(8)));

    fs::remove_file(&file.0).unwrap();
    wait_until(|| watch.error().is_some_and(|error| error.to_string().contains("cannot be read")));
    assert_eq!(threshold(), Some(8));
    file.write(&of(9));
    wait_until(|| threshold() == Some(9) && watch.error().is_none());
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_to_another_file_is_a_change() {
    let _turn = Turn::take();
    let (one, other) = (File::new("one", &of(11)), File::new("other", &of(12)));
    let link = one.0.with_file_name("link.toml");
    std::os::unix::fs::symlink(&one.0, &link).unwrap();
    let _watch = Settings::watch(&link).unwrap();
    assert_eq!(threshold(), Some(11));
    let new = one.0.with_file_name("new.toml");
    std::os::unix::fs::symlink(&other.0, &new).unwrap();
    fs::rename(&new, &link).unwrap();
    wait_until(|| threshold() == Some(12));
}

#[test]
fn settings_over_the_file_stay_over_it() {
    let _turn = Turn::take();
    let file = File::new("over", &format!("{}open_duration = \"20s\"", of(7)));
    let over = Settings::new().breaker("reads", "failure_threshold", 40);
    let watch = over.watch_over(&file.0).unwrap();
    let seconds = || breaker("reads").unwrap().config().open_duration().as_secs();
    assert_eq!((threshold(), seconds()), (Some(40), 20));
    file.write(&format!("{}open_duration = \"30s\"", of(8)));
    wait_until(|| seconds() == 30);
    assert_eq!(threshold(), Some(40));
    drop(watch);
}

#[test]
fn a_file_that_cannot_be_applied_is_not_watched() {
    let _turn = Turn::take();
    assert!(Settings::watch("no such file").is_err());
    let file = File::new("refused", "[breaker.reads]\nfailure_threshold = 0");
    assert!(Settings::watch(&file.0).is_err());
}
