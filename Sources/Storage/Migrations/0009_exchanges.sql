-- What a bot platform was asked and answered for the event of this line, without tokens: JSON of the gateway. It is on the
-- bot's line; where the bot said nothing, on the customer's.
ALTER TABLE messages ADD COLUMN exchange TEXT;

-- What kind of delivery it is, for people; NULL: a message.
ALTER TABLE outbox ADD COLUMN kind TEXT;
