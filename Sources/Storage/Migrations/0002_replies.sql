-- What the last reply offered the person to choose from, as its owner's JSON.
ALTER TABLE dialogs ADD COLUMN offered TEXT;

-- A send whose outcome was not known was repeated without a look: that is done once.
ALTER TABLE outbox ADD COLUMN repeated INTEGER NOT NULL DEFAULT 0;

-- What the bot platform calls the answer that this message belongs to, where people's ratings of it are wanted.
ALTER TABLE outbox ADD COLUMN answer_id TEXT;

-- Bitrix24's id of the message.
ALTER TABLE outbox ADD COLUMN sent_id INTEGER;
CREATE INDEX outbox_by_sent_id ON outbox (bot_id, sent_id) WHERE sent_id IS NOT NULL AND answer_id IS NOT NULL;
