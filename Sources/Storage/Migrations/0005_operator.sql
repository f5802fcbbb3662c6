-- What is known of who has the dialog, beside "state": JSON of the gateway; NULL until it was first handed over.
ALTER TABLE dialogs ADD COLUMN desk TEXT;
