//! A dropped server leaves no thread, and its port is free. The test counts the threads of its
//! process, so it needs a process of its own.

#![cfg(target_os = "linux")]

use std::net::{SocketAddr, TcpListener};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use resilient_testkit::{EmbeddedQdrant, Fault, RawPeer};
use tokio::runtime::{Builder, Runtime};

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Returns the threads of this process that belong to servers and peers.
fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    let names = tasks.flatten().map(|task| std::fs::read_to_string(task.path().join("comm")));
    names.flatten().filter(|name| ["embedded-qdrant", "raw-peer"].contains(&name.trim())).count()
}

fn assert_gone(addr: SocketAddr) {
    TcpListener::bind(addr).expect("the port is free");
    // The thread has ended, but the system may need a moment to remove it.
    let start = Instant::now();
    while threads() > 0 {
        assert!(start.elapsed() < Duration::from_secs(5), "a thread is left");
        std::thread::yield_now();
    }
}

/// A single test, so that no other test has servers at the same time.
#[test]
fn nothing_is_left_of_a_server_wherever_it_is_dropped() {
    // Inside the runtime that started it, and outside of any runtime.
    assert_gone(current_thread().block_on(async {
        let server = EmbeddedQdrant::start().await.unwrap();
        assert_eq!(threads(), 1);
        server.addr()
    }));
    let server = current_thread().block_on(EmbeddedQdrant::start()).unwrap();
    let addr = server.addr();
    drop(server);
    assert_gone(addr);

    // On a multi-threaded runtime, and with a paused clock.
    let many = Builder::new_multi_thread().enable_all().build().unwrap();
    assert_gone(many.block_on(async {
        let server = EmbeddedQdrant::start().await.unwrap();
        let addr = server.addr();
        tokio::spawn(async move { drop(server) }).await.unwrap();
        addr
    }));
    let paused = Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    assert_gone(paused.block_on(async { EmbeddedQdrant::start().await.unwrap().addr() }));

    // During a panic, with a call that hangs.
    let (tell, told) = mpsc::channel();
    let panicked = std::thread::spawn(move || {
        current_thread().block_on(async {
            let server = EmbeddedQdrant::start().await.unwrap();
            tell.send(server.addr()).unwrap();
            let client = server.client();
            let fault = server.script(Fault::hang());
            tokio::spawn(async move { client.list_collections().await });
            while fault.hits() == 0 {
                tokio::task::yield_now().await;
            }
            panic!("on purpose, with a server");
        })
    });
    panicked.join().expect_err("the panic");
    assert_gone(told.recv().unwrap());

    // After a stop, and after a start that fails.
    let server = current_thread().block_on(EmbeddedQdrant::start()).unwrap();
    let addr = server.addr();
    server.kill();
    drop(server);
    assert_gone(addr);
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = holder.local_addr().unwrap();
    let start = EmbeddedQdrant::builder().port(addr.port()).start();
    current_thread().block_on(start).expect_err("the port is in use");
    drop(holder);
    assert_gone(addr);

    // A start that is cancelled after its first step.
    current_thread().block_on(async {
        let mut start = Box::pin(EmbeddedQdrant::start());
        std::future::poll_fn(|cx| {
            let _ = start.as_mut().poll(cx);
            std::task::Poll::Ready(())
        })
        .await;
    });
    assert_gone(addr);

    // A peer.
    let peer = current_thread().block_on(RawPeer::saying("")).unwrap();
    let addr = peer.addr();
    assert_eq!(threads(), 1);
    drop(peer);
    assert_gone(addr);
}
