-- The list of silos of a cluster in PostgreSQL, and the queries by which Orleans' ADO.NET provider reads and changes it.
-- A change names the version of the list that it was made from, and is only made to that one.
-- Run at each start of a silo; several may start at once.

SELECT pg_advisory_xact_lock(hashtext('shoal membership'));

CREATE TABLE IF NOT EXISTS OrleansQuery (
    QueryKey varchar(64) PRIMARY KEY,
    QueryText text NOT NULL
);

CREATE TABLE IF NOT EXISTS ShoalMembershipVersion (
    DeploymentId varchar(150) PRIMARY KEY,
    Version integer NOT NULL
);

CREATE TABLE IF NOT EXISTS ShoalSilo (
    DeploymentId varchar(150) NOT NULL REFERENCES ShoalMembershipVersion,
    Address varchar(45) NOT NULL,
    Port integer NOT NULL,
    Generation integer NOT NULL,
    SiloName varchar(150) NOT NULL,
    HostName varchar(150) NOT NULL,
    Status integer NOT NULL,
    ProxyPort integer NOT NULL,
    SuspectTimes text,
    StartTime timestamptz NOT NULL,
    IAmAliveTime timestamptz NOT NULL,
    PRIMARY KEY (DeploymentId, Address, Port, Generation)
);

INSERT INTO OrleansQuery (QueryKey, QueryText) VALUES
('GatewaysQueryKey', $q$
    SELECT Address, ProxyPort, Generation
    FROM ShoalSilo
    WHERE DeploymentId = @DeploymentId AND Status = @Status AND ProxyPort > 0
$q$),
('MembershipReadAllKey', $q$
    SELECT version.Version, silo.Address, silo.Port, silo.Generation, silo.SiloName, silo.HostName, silo.Status,
        silo.ProxyPort, silo.SuspectTimes, silo.StartTime, silo.IAmAliveTime
    FROM ShoalMembershipVersion version LEFT JOIN ShoalSilo silo USING (DeploymentId)
    WHERE DeploymentId = @DeploymentId
$q$),
('MembershipReadRowKey', $q$
    SELECT version.Version, silo.Address, silo.Port, silo.Generation, silo.SiloName, silo.HostName, silo.Status,
        silo.ProxyPort, silo.SuspectTimes, silo.StartTime, silo.IAmAliveTime
    FROM ShoalMembershipVersion version LEFT JOIN ShoalSilo silo
        ON silo.DeploymentId = version.DeploymentId AND silo.Address = @Address AND silo.Port = @Port AND silo.Generation = @Generation
    WHERE version.DeploymentId = @DeploymentId
$q$),
('InsertMembershipVersionKey', $q$
    WITH added AS (
        INSERT INTO ShoalMembershipVersion (DeploymentId, Version) VALUES (@DeploymentId, 0)
        ON CONFLICT DO NOTHING
        RETURNING 1)
    SELECT EXISTS (SELECT FROM added)
$q$),
('InsertMembershipKey', $q$
    WITH moved AS (
        UPDATE ShoalMembershipVersion SET Version = Version + 1
        WHERE DeploymentId = @DeploymentId AND Version = @Version AND NOT EXISTS (
            SELECT FROM ShoalSilo
            WHERE DeploymentId = @DeploymentId AND Address = @Address AND Port = @Port AND Generation = @Generation)
        RETURNING DeploymentId),
    added AS (
        INSERT INTO ShoalSilo (DeploymentId, Address, Port, Generation, SiloName, HostName, Status, ProxyPort, StartTime, IAmAliveTime)
        SELECT DeploymentId, @Address, @Port, @Generation, @SiloName, @HostName, @Status, @ProxyPort, @StartTime, @IAmAliveTime FROM moved
        RETURNING 1)
    SELECT EXISTS (SELECT FROM added)
$q$),
('UpdateMembershipKey', $q$
    WITH moved AS (
        UPDATE ShoalMembershipVersion SET Version = Version + 1
        WHERE DeploymentId = @DeploymentId AND Version = @Version
        RETURNING DeploymentId),
    changed AS (
        UPDATE ShoalSilo silo SET Status = @Status, SuspectTimes = @SuspectTimes, IAmAliveTime = @IAmAliveTime
        FROM moved
        WHERE silo.DeploymentId = moved.DeploymentId AND silo.Address = @Address AND silo.Port = @Port AND silo.Generation = @Generation
        RETURNING 1)
    SELECT EXISTS (SELECT FROM changed)
$q$),
('UpdateIAmAlivetimeKey', $q$
    UPDATE ShoalSilo SET IAmAliveTime = @IAmAliveTime
    WHERE DeploymentId = @DeploymentId AND Address = @Address AND Port = @Port AND Generation = @Generation
$q$),
('DeleteMembershipTableEntriesKey', $q$
    WITH silos AS (DELETE FROM ShoalSilo WHERE DeploymentId = @DeploymentId)
    DELETE FROM ShoalMembershipVersion WHERE DeploymentId = @DeploymentId
$q$),
('CleanupDefunctSiloEntriesKey', $q$
    -- 6 is SiloStatus.Dead.
    DELETE FROM ShoalSilo WHERE DeploymentId = @DeploymentId AND Status = 6 AND IAmAliveTime < @IAmAliveTime
$q$)
ON CONFLICT (QueryKey) DO UPDATE SET QueryText = EXCLUDED.QueryText;
