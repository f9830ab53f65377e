#![no_main]
eencent_webhooks_fuzz::target!("standard_webhooks");
