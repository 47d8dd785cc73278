//! Secrets within definitions: how they are held, sealed, shown as set, and kept when somebody changes the rest.
//!
//! Guarantees: a secret is never printed; whatever holds secrets treats them alike. Deliberately absent: cryptography.

use serde::Deserialize;
use serde::Serialize;

/// A secret.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hidden(String);

impl Hidden {
    /// The secret itself, for whoever signs or logs in with it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Nothing.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Into<String>> From<T> for Hidden {
    fn from(text: T) -> Self {
        Hidden(text.into())
    }
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// The single secrets of a definition, each with the name of its field.
pub type Secrets<'a, const N: usize> = [(&'static str, &'a mut Option<Hidden>); N];

/// Changes each secret: `change` gets its name and value. What it makes empty is left out.
///
/// # Errors
/// The first error of `change`.
pub fn change<E, const N: usize>(
    secrets: Secrets<'_, N>,
    mut change: impl FnMut(&str, &str) -> Result<String, E>,
) -> Result<(), E> {
    for (name, secret) in secrets {
        if let Some(value) = secret.take() {
            let changed = change(name, value.expose())?;
            *secret = (!changed.is_empty()).then_some(Hidden(changed));
        }
    }
    Ok(())
}

/// Leaves all of them out; answers the names of those that were set.
pub fn leave_out<const N: usize>(secrets: Secrets<'_, N>) -> Vec<String> {
    let set = secrets
        .into_iter()
        .filter_map(|(name, secret)| secret.take().map(|_| name));
    set.map(str::to_owned).collect()
}

/// Takes over those of `before` that are not mentioned; an empty one is taken away.
pub fn keep<const N: usize>(secrets: Secrets<'_, N>, before: Secrets<'_, N>) {
    for ((_, mine), (_, old)) in secrets.into_iter().zip(before) {
        match mine {
            None => *mine = old.take(),
            Some(given) if given.is_empty() => *mine = None,
            Some(_) => {}
        }
    }
}
