-- Dialogs by their newest activity. The further columns let a filter pass over others without looking at their rows.
CREATE INDEX dialogs_by_activity ON dialogs (last_message_at, id, portal_id, bot_id, state);

-- Which dialogs have failed work.
CREATE INDEX events_failed_by_dialog ON events (dialog_id) WHERE state = 'failed';
CREATE INDEX outbox_failed_by_dialog ON outbox (dialog_id) WHERE state = 'failed';
