-- What happened in a minute, counted from 1970. "times": how many answers took how long, as "bucket:count" with a space
-- between; where a bucket begins the gateway knows.
CREATE TABLE statistics (
    minute INTEGER PRIMARY KEY,
    answers INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    times TEXT NOT NULL
);
