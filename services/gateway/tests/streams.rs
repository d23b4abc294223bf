//! Streams pass message by message, with back-pressure in both directions, and end when either side
//! is gone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; its helpers too"
)]

mod support;

use std::{
    future::poll_fn,
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use bytes::Bytes;
use support::{OPERATOR, PLACES, Running, SOON, eventually, running};
use tokio::{net::TcpStream, sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;
use tonic_types::StatusExt;

fn busy(running: &Running) -> usize {
    running.echo.in_work.load(Ordering::SeqCst)
}

/// The value once it no longer grows.
async fn settled(count: &AtomicUsize) -> usize {
    let (mut last, mut calm) = (usize::MAX, 0);
    while calm < 10 {
        let now = count.load(Ordering::SeqCst);
        calm = if now == last { calm + 1 } else { 0 };
        last = now;
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    last
}

#[tokio::test]
async fn each_message_passes_before_the_next_is_sent() {
    for place in PLACES {
        let running = running(place).await;
        let (sender, receiver) = mpsc::channel(1);
        let mut answers =
            running.client().streaming("Both", ReceiverStream::new(receiver)).await.unwrap();
        for number in 0..200_u32 {
            let message = Bytes::copy_from_slice(&number.to_be_bytes());
            sender.send(message.clone()).await.unwrap();
            let answer = timeout(SOON, answers.message()).await.unwrap().unwrap().unwrap();
            assert_eq!(answer, message);
        }
        drop(sender);
        assert_eq!(timeout(SOON, answers.message()).await.unwrap().unwrap(), None);
        eventually("the stream is over", || busy(&running) == 0).await;
    }
}

#[tokio::test]
async fn a_stream_of_many_messages_arrives_whole_and_in_order() {
    for place in PLACES {
        let running = running(place).await;
        let messages = (0..20_000_u32).map(|n| Bytes::from(n.to_string().repeat(10)));
        let sent = tokio_stream::iter(messages.clone());
        let mut answers = running.client().streaming("Both", sent).await.unwrap();
        for expected in messages {
            let answer = timeout(SOON, answers.message()).await.unwrap().unwrap();
            assert_eq!(answer, Some(expected));
        }
        assert_eq!(answers.message().await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_reader_that_pauses_holds_up_the_service() {
    for place in PLACES {
        let running = running(place).await;
        let mut answers = running.client().streaming("Flood", tokio_stream::empty()).await.unwrap();
        answers.message().await.unwrap().unwrap();
        let made = settled(&running.echo.made).await;
        assert!(made < 40_000, "{place:?}: {made} messages of 1 KiB are held somewhere");
        // Reading on lets it go on.
        for _ in 0..made {
            timeout(SOON, answers.message()).await.unwrap().unwrap().unwrap();
        }
        assert!(running.echo.made.load(Ordering::SeqCst) > made);
        // A reader that leaves ends it.
        drop(answers);
        eventually("the flood is over", || busy(&running) == 0).await;
    }
}

/// h2 itself, because tonic's client cannot give up a stream that it still has something to send on.
#[tokio::test]
async fn a_service_that_pauses_holds_up_the_sender_and_a_sender_that_leaves_ends_it() {
    for place in PLACES {
        let running = running(place).await;
        let stream = TcpStream::connect(running.address).await.unwrap();
        let (sender, connection) = h2::client::handshake(stream).await.unwrap();
        let connection = tokio::spawn(connection);
        let request = http::Request::post(format!("http://{}/test.v1.Echo/Deaf", running.address))
            .header("content-type", "application/grpc")
            .header("x-api-key", OPERATOR)
            .body(())
            .unwrap();
        let (answer, mut body) =
            sender.ready().await.unwrap().send_request(request, false).unwrap();
        let mut message = vec![0, 0, 0, 4, 0];
        message.resize(1029, 7);
        let message = Bytes::from(message);
        let mut taken = 0;
        loop {
            body.reserve_capacity(message.len());
            let mut room = Box::pin(poll_fn(|context| body.poll_capacity(context)));
            match timeout(Duration::from_millis(500), &mut room).await {
                Ok(room) => assert!(room.unwrap().is_ok()),
                Err(_) => break,
            }
            drop(room);
            // Whole messages, so that the room granted may be exceeded by a part of one.
            body.send_data(message.clone(), false).unwrap();
            taken += 1;
            assert!(taken < 40_000, "{place:?}: {taken} messages of 1 KiB are held somewhere");
        }
        let answer = timeout(SOON, answer).await.unwrap().unwrap();
        assert_eq!(busy(&running), 1);
        drop((answer, body));
        eventually("the stream is over", || busy(&running) == 0).await;
        connection.abort();
    }
}

#[tokio::test]
async fn a_message_that_is_too_large_ends_its_stream_and_no_other() {
    for place in PLACES {
        let running = running(place).await;
        let mut client = running.client();
        let (sender, receiver) = mpsc::channel(1);
        let mut other = client.streaming("Both", ReceiverStream::new(receiver)).await.unwrap();
        let (large, receiver) = mpsc::channel(1);
        let mut answers = client.streaming("Both", ReceiverStream::new(receiver)).await.unwrap();
        for size in [10, 100_000] {
            large.send(vec![1; size].into()).await.unwrap();
            assert_eq!(answers.message().await.unwrap().unwrap().len(), size);
        }
        large.send(vec![1; 100_001].into()).await.unwrap();
        let refused = timeout(SOON, answers.message()).await.unwrap().unwrap_err();
        assert_eq!(refused.code(), Code::ResourceExhausted, "{place:?} {refused:?}");
        assert_eq!(refused.get_details_error_info().unwrap().reason, "MESSAGE_TOO_LARGE");
        sender.send("hello".into()).await.unwrap();
        assert_eq!(other.message().await.unwrap().unwrap(), "hello");
    }
}
