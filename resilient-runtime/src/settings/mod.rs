//! Settings: configuration over source, at run time.

mod applied;
mod apply;
mod effective;
mod entries;
mod environment;
mod error;
mod numbers;
mod origin;
mod plan;
mod program;
mod toml;
mod value;
mod watch;

pub use self::applied::{Applied, SettingChange};
pub use self::entries::Settings;
pub use self::error::{SettingProblem, SettingsError};
pub use self::value::SettingValue;
pub use self::watch::SettingsWatch;
