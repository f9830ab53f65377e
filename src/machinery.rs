//! What operations' pages need of the timetable and the providers.

use std::sync::Arc;

use async_trait::async_trait;
use eencent_activations::clock::Timestamp;
use eencent_activations::desk::operations::Retranslating;
use eencent_console::operations::{Machinery, Upcoming};
use eencent_webhooks::endpoint::Endpoints;

use crate::published_keys;
use crate::settings::Settings;

/// By the settings.
pub struct BySettings {
    jobs: eencent_jobs::Checked,
    endpoints: Endpoints,
}

impl BySettings {
    /// Of these settings.
    pub fn new(settings: &Settings) -> Self {
        Self {
            jobs: settings.jobs.clone(),
            endpoints: settings.webhooks.clone(),
        }
    }
}

#[async_trait]
impl Machinery for BySettings {
    fn timetable(&self, now: Timestamp) -> Vec<Upcoming> {
        let runs = self.jobs.next_runs(now).into_iter();
        runs.map(|run| Upcoming {
            schedule: run.schedule.to_owned(),
            setting: run.setting.to_owned(),
            next: run.next,
        })
        .collect()
    }

    fn endpoints(&self) -> Vec<String> {
        self.endpoints
            .iter()
            .map(|endpoint| endpoint.name().to_owned())
            .collect()
    }

    async fn translator(&self) -> Arc<dyn Retranslating> {
        // A process that doesn't receive has no reason to have them already.
        published_keys::once(&self.endpoints).await;
        Arc::new(self.endpoints.clone())
    }
}
