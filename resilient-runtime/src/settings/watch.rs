//! A file of settings that is applied whenever it changes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;
use std::{fs, io, thread};

use super::entries::Settings;
use super::error::{SettingProblem, SettingsError};
use crate::event::{self, Event};

/// How often the file is read.
const PERIOD: Duration = Duration::from_secs(1);

/// A file of settings that is applied whenever it changes, from [`Settings::watch`]. Dropping this
/// ends the watch. The settings stay.
#[derive(Debug)]
#[must_use = "dropping it ends the watch"]
pub struct SettingsWatch(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    path: PathBuf,
    over_file: Settings,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug)]
struct State {
    is_ended: bool,
    /// What is wrong with the file as it was read last.
    error: Option<SettingsError>,
}

/// The text of the file, or why there is none.
type Seen = Result<String, io::ErrorKind>;

impl Settings {
    /// Applies the settings in a file, and applies them again whenever the file changes.
    ///
    /// A thread reads the file every second and compares its text. So it notices a changed file
    /// behind a link or a mount too, as in a `ConfigMap` of Kubernetes, where a notification by the
    /// system would not come. A file that is missing, half written or mistaken changes nothing: the
    /// last good settings stay, and an event reports each mistake once.
    ///
    /// # Errors
    ///
    /// As [`from_file`](Self::from_file) and [`apply`](Self::apply), for the file as it is now. It is
    /// then not watched. Also if the system cannot start a thread.
    ///
    /// ```no_run
    /// use resilient_runtime::Settings;
    ///
    /// let watch = Settings::watch("resilient.toml")?;
    /// // For as long as the service runs.
    /// # drop(watch);
    /// # Ok::<(), resilient_runtime::SettingsError>(())
    /// ```
    pub fn watch(path: impl AsRef<Path>) -> Result<SettingsWatch, SettingsError> {
        Self::new().watch_over(path)
    }

    /// [`watch`](Self::watch), with these settings over those of the file: where both set the same
    /// number, these hold.
    ///
    /// # Errors
    ///
    /// As [`watch`](Self::watch).
    ///
    /// ```no_run
    /// use resilient_runtime::Settings;
    ///
    /// // The environment before the file.
    /// let watch = Settings::from_env("RESILIENT").watch_over("resilient.toml")?;
    /// # drop(watch);
    /// # Ok::<(), resilient_runtime::SettingsError>(())
    /// ```
    pub fn watch_over(self, path: impl AsRef<Path>) -> Result<SettingsWatch, SettingsError> {
        let path = path.as_ref().to_owned();
        // Read before it is applied: what changes in between is seen as a change.
        let seen = read(&path);
        Self::from_file(&path)?.merge(self.clone()).apply()?;
        let state = Mutex::new(State { is_ended: false, error: None });
        let shared = Arc::new(Shared { path, over_file: self, state, ended: Condvar::new() });
        let watched = Arc::clone(&shared);
        let thread = thread::Builder::new().name("resilient-settings".to_owned());
        thread.spawn(move || watched.run(seen)).map_err(|error| {
            let message = format!("no thread can be started to watch the settings: {error}");
            SettingsError::one(SettingProblem::general(None, message))
        })?;
        Ok(SettingsWatch(shared))
    }
}

impl SettingsWatch {
    /// Returns what is wrong with the file as it was read last. `None` if its settings are in effect.
    #[must_use]
    pub fn error(&self) -> Option<SettingsError> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).error.clone()
    }
}

impl Drop for SettingsWatch {
    fn drop(&mut self) {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).is_ended = true;
        self.0.ended.notify_all();
    }
}

impl Shared {
    /// Applies the file each time that it differs from what was seen last.
    fn run(&self, mut seen: Seen) {
        while !self.is_ended_after(PERIOD) {
            // Not under the lock: a file may be slow, and subscribers of events may ask for the error.
            let read = read(&self.path);
            if read == seen {
                continue;
            }
            let error = self.reload().err();
            if let Some(error) = &error {
                event::emit(&Event::SettingsRefused {
                    file: &self.path.display().to_string(),
                    mistakes: &error.to_string(),
                });
            }
            self.state.lock().unwrap_or_else(PoisonError::into_inner).error = error;
            seen = read;
        }
    }

    /// Waits for this time, or until the watch ends. Returns whether it has ended.
    fn is_ended_after(&self, time: Duration) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.ended.wait_timeout_while(state, time, |state| !state.is_ended);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.is_ended
    }

    fn reload(&self) -> Result<(), SettingsError> {
        Settings::from_file(&self.path)?.merge(self.over_file.clone()).apply().map(drop)
    }
}

fn read(path: &Path) -> Seen {
    fs::read_to_string(path).map_err(|error| error.kind())
}
