//! How a command ends: well, with something found, or not at all.

use std::{error::Error, process::ExitCode};

/// What a command that ran to its end has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// All is as it should be. Exit code 0.
    Well,
    /// Something is not as it should be, and it was shown. Exit code 1.
    Found,
}

impl End {
    pub(crate) fn well_if(well: bool) -> Self {
        if well { Self::Well } else { Self::Found }
    }
}

/// Why a command could not do its work. Each sentence says what to do next.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// What was asked for makes no sense. Exit code 64.
    #[error("{0}")]
    Usage(String),
    /// Something that is needed is not there or does not work. Exit code 2.
    #[error("{sentence}")]
    Broken { sentence: String, source: Option<Box<dyn Error + Send + Sync>> },
}

impl Failure {
    pub(crate) fn usage(sentence: impl Into<String>) -> Self {
        Self::Usage(sentence.into())
    }

    pub(crate) fn broken(sentence: impl Into<String>) -> Self {
        Self::Broken { sentence: sentence.into(), source: None }
    }

    pub(crate) fn because(
        sentence: impl Into<String>,
        source: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        Self::Broken { sentence: sentence.into(), source: Some(source.into()) }
    }

    fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => 64,
            Self::Broken { .. } => 2,
        }
    }

    /// Whether the reader of our output went away: no failure of ours.
    fn is_broken_pipe(&self) -> bool {
        let Self::Broken { source: Some(source), .. } = self else { return false };
        source
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    }
}

/// An error with all its causes. Some libraries repeat their source in their own words: what was
/// said is not said again.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.contains(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}

impl From<std::io::Error> for Failure {
    /// For writing to standard output; everything else deserves a sentence of its own.
    fn from(error: std::io::Error) -> Self {
        Self::because("cannot write the output; check where it goes", error)
    }
}

/// Says on standard error why a command failed, and gives its exit code.
pub(crate) fn exit(result: Result<End, Failure>) -> ExitCode {
    match result {
        Ok(End::Well) => ExitCode::SUCCESS,
        Ok(End::Found) => ExitCode::from(1),
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            crate::terminal::complain(&format!("emall: {}", chain(&failure)));
            ExitCode::from(failure.code())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::{Failure, chain};

    #[test]
    fn causes_are_told_once() {
        let inner = io::Error::other("no route");
        let failure = Failure::because("nobody answers; try again", inner);
        assert_eq!(chain(&failure), "nobody answers; try again: no route");
        let said = Failure::because("it says no route; try again", io::Error::other("no route"));
        assert_eq!(chain(&said), "it says no route; try again");
    }

    #[test]
    fn a_reader_that_went_away_is_no_failure() {
        let gone = io::Error::from(io::ErrorKind::BrokenPipe);
        assert!(Failure::from(gone).is_broken_pipe());
        assert!(!Failure::from(io::Error::other("disk full")).is_broken_pipe());
        assert!(!Failure::usage("x").is_broken_pipe());
    }
}
