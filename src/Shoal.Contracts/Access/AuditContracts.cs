namespace Shoal.Contracts;

/// <summary>One line of the audit log: somebody managed something, or tried to.</summary>
[GenerateSerializer, Immutable, Alias("shoal.audit-entry")]
public sealed record AuditEntry
{
    /// <summary>When it ended.</summary>
    [Id(0)] public required DateTimeOffset At { get; init; }

    /// <summary>Who: <c>key:PREFIX</c>, <c>jwt:SUBJECT</c>, <c>everyone</c> where nobody is asked, or <c>cluster</c> for a client of the cluster itself.</summary>
    [Id(1)] public required string Who { get; init; }

    /// <summary>What, for example <c>DELETE /datasets/{dataset}</c> or <c>key create</c>.</summary>
    [Id(2)] public required string What { get; init; }

    /// <summary>The dataset; null when it is about none.</summary>
    [Id(3)] public string? Dataset { get; init; }

    /// <summary>What it was done to besides: the key's prefix, or the rest of the path.</summary>
    [Id(4)] public string? Target { get; init; }

    /// <summary>How it ended: the status of the answer; <c>taken</c> for keys, which are told of before they change.</summary>
    [Id(5)] public required string Outcome { get; init; }
}

/// <summary>Appends to the audit log, an object a day. Key: <see cref="GrainKeys.Audit"/>.</summary>
[Alias("shoal.audit")]
public interface IAuditGrain : IGrainWithStringKey
{
    /// <summary>Appends an entry to the object of its day, durably. Repeated, it may stand there twice.</summary>
    /// <param name="entry">The entry.</param>
    /// <exception cref="ShoalException">Unavailable.</exception>
    [Alias("record")]
    Task RecordAsync(AuditEntry entry);
}
