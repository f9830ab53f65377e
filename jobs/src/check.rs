//! What `eencent check` asks of this crate: can mail leave, can the queue's file be used?

use crate::queue::{Queue, QueueError};
use crate::rows::told;
use crate::settings::Checked;

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// What is wrong, each a sentence that begins with the key it is about.
    pub problems: Vec<String>,
    /// What an operator should know.
    pub notes: Vec<String>,
}

/// Renders every template, and tries the connections of these settings. Sends nothing.
pub async fn check(settings: &Checked) -> Found {
    let mut found = Found::default();
    mail(settings, &mut found).await;
    let queue = Queue::new(settings.queue.clone());
    match queue.probe().await {
        // It names the key by itself.
        Err(error @ QueueError::Foreign { .. }) => found.problems.push(error.to_string()),
        Err(error) => found.problems.push(format!("queue.url: {}", told(&error.into()))),
        Ok(()) => {}
    }
    found
}

async fn mail(settings: &Checked, found: &mut Found) {
    found.notes.push(format!("mail goes to {}", settings.mail_goes_to()));
    let mail = &settings.mail;
    let from = mail.from.email.user().to_lowercase().replace(['-', '.', '_'], "");
    if mail.reply_to.is_none() && from.starts_with("noreply") {
        found.notes.push(format!(
            "mail.reply_to is not set: answers, which some e-mails ask for, go to contact.support_email, or where that is empty too to {}",
            mail.from.email
        ));
    }
    match mail.open() {
        Ok(mailer) => {
            found.notes.extend(strangers(&mailer.renderer));
            for (name, record) in mailer.stationery.signers.iter().map(crate::mail::Signer::record) {
                found
                    .notes
                    .push(format!("mail.dkim_keys: publish {name} TXT \"{record}\""));
            }
            if let Err(problem) = mailer.transport.check().await {
                found.problems.push(format!("mail.url: {problem}"));
            }
        }
        Err(problems) => found.problems.extend(problems),
    }
}

/// Files among the templates that are none.
pub(crate) fn strangers(renderer: &crate::mail::Renderer) -> Vec<String> {
    let strangers = renderer.templates().strangers.iter();
    let told = strangers.map(|file| {
        format!(
            "mail.templates: {} is no template and isn't used; `eencent mail preview` lists their names",
            file.display()
        )
    });
    told.collect()
}
