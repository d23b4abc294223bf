//! What the contract says about complaints: limits that differ from one to the other.

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
}

/// A post, and what it may decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Name: `user-service`.
    pub name: String,
    /// Sums that it may grant and spend on one complaint; `None` means any.
    pub limit: Option<i64>,
}

impl Policy {
    /// The post of a number.
    #[must_use]
    pub fn post(&self, tier: u32) -> Option<&Post> {
        self.posts.get(usize::try_from(tier).ok()?)
    }
}

impl Default for Policy {
    fn default() -> Self {
        let post = |name: &str, limit| Post { name: name.to_owned(), limit };
        Self {
            major_from: 200_000,
            posts: vec![
                post("user-service", Some(50_000)),
                post("marketing-manager", Some(500_000)),
                post("director", None),
            ],
            least_penalty: 1_000,
            most_penalty: 5_000,
        }
    }
}
