#![no_main]
eencent_webhooks_fuzz::target!("adyen_platform");
