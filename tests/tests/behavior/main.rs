//! What the library does, seen from outside. Time is paused wherever no socket is involved.

mod attribute;
mod breaker;
mod classify;
mod constants;
mod deadline;
mod events;
mod functions;
mod guard;
mod impl_block;
mod keyed;
mod multiplied;
mod named;
mod nested;
mod nothing_sent;
mod panics;
mod policy;
mod qdrant;
mod registry;
mod retry;
mod safety;
mod settings;
mod shapes;
mod slow;
mod time;
mod unknown;
mod within;
