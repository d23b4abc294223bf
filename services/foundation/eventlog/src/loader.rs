//! Reads streams for those who fold them: all that are asked for at the same time in one query.
//!
//! Invariant: an answer is what was on disk at some moment after the question.

use std::sync::Arc;

use contracts::common::RecordedEvent;
use tokio::sync::{Mutex, mpsc, oneshot};

use crate::{LogError, engine::Engine};

/// Streams read in one query, at most.
const TOGETHER: usize = 64;

/// Queries at the same time: a long stream must not hold up all others.
const LOADERS: usize = 2;

type Answer = oneshot::Sender<Result<Vec<RecordedEvent>, LogError>>;

/// Asks for streams. The tasks behind it end with the last clone.
#[derive(Clone)]
pub(crate) struct Loader(mpsc::Sender<(String, Answer)>);

impl Loader {
    pub(crate) fn spawn(engine: &Engine) -> Self {
        let (questions, waiting) = mpsc::channel(4 * TOGETHER);
        let waiting = Arc::new(Mutex::new(waiting));
        for _ in 0..LOADERS {
            tokio::spawn(serve(engine.clone(), Arc::clone(&waiting)));
        }
        Self(questions)
    }

    /// All events of a stream, oldest first.
    pub(crate) async fn load(&self, stream: &str) -> Result<Vec<RecordedEvent>, LogError> {
        let (answer, events) = oneshot::channel();
        self.0.send((stream.to_owned(), answer)).await.map_err(|_| LogError::Closed)?;
        events.await.unwrap_or(Err(LogError::Closed))
    }
}

async fn serve(engine: Engine, waiting: Arc<Mutex<mpsc::Receiver<(String, Answer)>>>) {
    loop {
        let mut questions = Vec::new();
        {
            let mut waiting = waiting.lock().await;
            if waiting.recv_many(&mut questions, TOGETHER).await == 0 {
                return;
            }
            // those who were acknowledged together ask together
            tokio::task::yield_now().await;
            while questions.len() < TOGETHER {
                let Ok(question) = waiting.try_recv() else { break };
                questions.push(question);
            }
        }
        let (streams, answers): (Vec<String>, Vec<Answer>) = questions.into_iter().unzip();
        match engine.histories(&streams).await {
            Ok(histories) => {
                for (answer, history) in answers.into_iter().zip(histories) {
                    let _ = answer.send(Ok(history));
                }
            }
            Err(error) => {
                for answer in answers {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }
}
