//! What the contract says about complaints: limits that differ from one to the other.

use super::Rejection;

/// Numbers of one contract. Amounts are in fen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Sums from which on a complaint is major, this one included (CMP-03, CMP-04, MON-06).
    pub major_from: i64,
    /// Posts that decide, the lowest first (CMP-33, ORG-09).
    pub posts: Vec<Post>,
    /// Smallest penalty of the first responsible person (CMP-50, MON-07).
    pub least_penalty: i64,
    /// Largest penalty.
    pub most_penalty: i64,
    /// A complaint of the same person about the same is a repeat for so many days.
    pub repeat_days: u32,
}

/// A post, and what it may decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Name: `user-service`.
    pub name: String,
    /// Sums that it may grant and spend on one complaint; `None` means any.
    pub limit: Option<i64>,
    /// Who holds it; nobody named means anybody (CMP-06, CMP-07, CMP-53).
    pub people: Vec<String>,
}

impl Policy {
    /// The post of a number.
    #[must_use]
    pub fn post(&self, tier: u32) -> Option<&Post> {
        self.posts.get(usize::try_from(tier).ok()?)
    }

    /// Somebody holds a post.
    ///
    /// # Errors
    /// There is no such post, or others hold it.
    pub(super) fn holds(&self, person: &str, tier: u32) -> Result<(), Rejection> {
        let post = self.post(tier).ok_or(Rejection::NoPost(tier))?;
        if post.people.is_empty() || post.people.iter().any(|known| known == person) {
            return Ok(());
        }
        Err(Rejection::NotOnPost { person: person.to_owned(), post: post.name.clone() })
    }
}

impl Default for Policy {
    fn default() -> Self {
        let post = |name: &str, limit| Post { name: name.to_owned(), limit, people: Vec::new() };
        Self {
            major_from: 200_000,
            posts: vec![
                post("user-service", Some(50_000)),
                post("marketing-manager", Some(500_000)),
                post("director", None),
            ],
            least_penalty: 1_000,
            most_penalty: 5_000,
            repeat_days: 30,
        }
    }
}
