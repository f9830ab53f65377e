//! The Dutch trade register: Zoeken v2 finds, Basisprofiel v1 and Naamgeving v1 tell the rest.
//!
//! Layouts, statuses and error codes as documented at <https://developers.kvk.nl/documentation>. A number costs two
//! questions, which the KvK charges for; a search costs one, which is free.

mod reading;

use std::sync::Arc;

use async_trait::async_trait;
use eencent_activations::clock::Clock;
use eencent_activations::identifier::{Identifier, Scheme};
use eencent_activations::register::{Entry, NoEntry};

use crate::asking::{Answer, Asking};
use crate::settings::Access;
use crate::{Hit, MOST_HITS, Query, Register};

pub use reading::{entry, hits};

/// The KvK.
pub(crate) struct Kvk {
    asking: Asking,
    clock: Arc<dyn Clock>,
}

impl Kvk {
    pub(crate) fn new(access: &Access, clock: Arc<dyn Clock>) -> Self {
        Self {
            asking: Asking::new(access, "apikey"),
            clock,
        }
    }

    /// What stands in the body of an answer; `None` when there is no such thing.
    fn told(answer: Answer) -> Result<Option<Vec<u8>>, NoEntry> {
        match answer.status {
            200..=299 => Ok(Some(answer.body)),
            status => match reading::refusal(&answer.body).as_deref() {
                // It is being worked on at their side, and will be there again.
                Some(code @ ("IPD1002" | "IPD1003")) => {
                    Err(NoEntry::Down(format!("this number is being worked on there ({code})")))
                }
                // Not a number that the KvK gives out.
                Some("IPD0004") => Ok(None),
                Some(code) if status == 400 => Err(NoEntry::NotTaken(code.to_owned())),
                None if status == 400 => Err(NoEntry::NotTaken("400".to_owned())),
                Some(_) => Ok(None),
                // Anybody's 404: a wrong address in the settings must not look like an unknown number.
                None => Err(NoEntry::Unreadable(
                    "it answers 404 without a code of the KvK's; check register.kvk_url".to_owned(),
                )),
            },
        }
    }
}

#[async_trait]
impl Register for Kvk {
    fn name(&self) -> &'static str {
        "KvK"
    }

    fn scheme(&self) -> Scheme {
        Scheme::Kvk
    }

    async fn search(&self, query: &Query) -> Result<Vec<Hit>, NoEntry> {
        let most = MOST_HITS.to_string();
        let mut asked = vec![("resultatenPerPagina", most.as_str())];
        asked.extend(query.name.as_deref().map(|name| ("naam", name)));
        asked.extend(query.place.as_deref().map(|place| ("plaats", place)));
        match Self::told(self.asking.ask("/v2/zoeken", &asked).await?)? {
            Some(body) => hits(&body),
            None => Ok(Vec::new()),
        }
    }

    async fn entry(&self, identifier: &Identifier) -> Result<Entry, NoEntry> {
        if *identifier.scheme() != Scheme::Kvk {
            return Err(NoEntry::NotConfigured);
        }
        let number = identifier.value();
        let profile = self.asking.ask(&format!("/v1/basisprofielen/{number}"), &[]).await?;
        let profile = Self::told(profile)?.ok_or(NoEntry::Unknown)?;
        let naming = self
            .asking
            .ask(&format!("/v1/naamgevingen/kvknummer/{number}"), &[])
            .await?;
        let naming = Self::told(naming)?;
        entry(identifier, &profile, naming.as_deref(), self.clock.now())
    }
}
