//! Standard output and error: colours and progress only where a person looks.

use std::io::{self, IsTerminal as _, Write as _};

/// Says something on standard error; when nobody listens there is nothing left to do.
pub(crate) fn complain(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// One line on standard output.
pub(crate) fn say(line: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// A text on standard output as it is: it has its own ends of lines.
pub(crate) fn hand_over(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// A message of the contracts as one line of protobuf JSON; empty for one that they do not hold.
pub(crate) fn json_line(package: &str, name: &str, message: &impl prost::Message) -> String {
    let json = contracts::json(&format!("{package}.{name}"), &message.encode_to_vec());
    json.unwrap_or_default().to_string()
}

/// A text from outside on one line: what could move the cursor, change colours or turn the direction of
/// what follows is shown as a space.
pub(crate) fn plain(text: &str) -> String {
    let harmless = |letter: char| if steers(letter) { ' ' } else { letter };
    text.replace("\r\n", " ").chars().map(harmless).collect()
}

/// Whether a letter tells a terminal what to do: control characters, line and paragraph ends, marks and
/// overrides of direction.
fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{061C}'
                | '\u{200E}'..='\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2066}'..='\u{2069}'
                | '\u{FEFF}'
        )
}

/// Colours of standard output: none unless it is a terminal that wants them (`NO_COLOR`).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    pub(crate) fn stdout() -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { on: wanted && io::stdout().is_terminal() }
    }

    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self { on: false }
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.wrap("32", text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.wrap("31", text)
    }

    pub(crate) fn cyan(self, text: &str) -> String {
        self.wrap("36", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        if self.on { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Standard output as a screen that is drawn again and again; there is none where no person looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen(());

/// Of a terminal that does not tell.
const USUAL_SIZE: (usize, usize) = (80, 24);

impl Screen {
    pub(crate) fn stdout() -> Option<Self> {
        io::stdout().is_terminal().then_some(Self(()))
    }

    /// Its columns and lines, as they are now.
    pub(crate) fn size(self) -> (usize, usize) {
        match rustix::termios::tcgetwinsize(io::stdout()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
                (size.ws_col.into(), size.ws_row.into())
            }
            Ok(_) | Err(_) => USUAL_SIZE,
        }
    }

    pub(crate) fn clear(self) -> io::Result<()> {
        write!(io::stdout(), "\x1b[2J")
    }

    /// Draws over what was there, without the blink of an empty screen.
    pub(crate) fn draw(self, lines: &[String]) -> io::Result<()> {
        let mut out = io::stdout().lock();
        write!(out, "\x1b[H")?;
        for line in lines {
            write!(out, "{line}\x1b[K\r\n")?;
        }
        write!(out, "\x1b[J")?;
        out.flush()
    }
}

/// A line on standard error that is written again and again; nothing where no person looks.
#[derive(Debug)]
pub(crate) struct Progress {
    shown: bool,
}

impl Progress {
    pub(crate) fn new(wanted: bool) -> Self {
        Self { shown: wanted && io::stderr().is_terminal() }
    }

    pub(crate) fn show(&self, line: &str) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K{line}");
        }
    }

    /// Takes the line away, so that what follows starts in the first column.
    pub(crate) fn clear(&self) {
        if self.shown {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn what_could_steer_the_terminal_is_a_space() {
        assert_eq!(plain("晚到一天, \"late\""), "晚到一天, \"late\"");
        assert_eq!(plain("a\r\nb\tc"), "a b c");
        for hostile in ["\u{1b}", "\u{7}", "\u{8}", "\u{7f}", "\u{9b}", "\u{202e}", "\u{2066}"] {
            assert_eq!(plain(&format!("x{hostile}y")), "x y", "{hostile:?}");
        }
    }
}
