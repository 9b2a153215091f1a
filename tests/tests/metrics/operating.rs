//! The dashboard and the alerts name what there is.
