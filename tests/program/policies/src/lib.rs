//! The policies of a program, in a crate that holds nothing else.

resilient_runtime::policies! {
    /// Guards every read.
    breaker "program reads" { failure_threshold: 2 }
    breaker "program writes" { failure_threshold: 3 }
    breaker "program shard {shard}" { max_keys: 2 }
    retry "default" { max_attempts: 2, base_delay: "1ms" }
    /// The server's limit is low.
    retry "rate_limit_error" { max_attempts: 9, base_delay: "1ms" }
    retry "program import" { max_attempts: 7, base_delay: "1ms" }
}
