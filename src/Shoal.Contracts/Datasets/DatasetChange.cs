namespace Shoal.Contracts;

/// <summary>Settings that may change while a dataset lives; what is null stays as it is.</summary>
[GenerateSerializer, Immutable, Alias("shoal.dataset-change")]
public sealed record DatasetChange
{
    /// <summary><see cref="DatasetSettings.RoundSeconds"/>.</summary>
    [Id(0)] public double? RoundSeconds { get; init; }

    /// <summary><see cref="DatasetSettings.IdleRehearsalSteps"/>.</summary>
    [Id(1)] public int? IdleRehearsalSteps { get; init; }

    /// <summary><see cref="DatasetSettings.RetainDays"/>.</summary>
    [Id(2)] public double? RetainDays { get; init; }

    /// <summary><see cref="DatasetSettings.RetainBytes"/>.</summary>
    [Id(3)] public long? RetainBytes { get; init; }

    /// <summary><see cref="DatasetSettings.MaxLag"/>.</summary>
    [Id(4)] public long? MaxLag { get; init; }

    /// <summary>The settings after the change.</summary>
    /// <param name="settings">The settings before it.</param>
    /// <exception cref="ShoalException">Invalid: nothing is changed, or a value is out of range.</exception>
    public DatasetSettings Apply(DatasetSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        if (this == new DatasetChange())
        {
            throw new ShoalException(ShoalErrorKind.Invalid, "Nothing to change was given; these may change: RoundSeconds, IdleRehearsalSteps, RetainDays, RetainBytes, MaxLag.");
        }

        DatasetSettings changed = settings with
        {
            RoundSeconds = RoundSeconds ?? settings.RoundSeconds,
            IdleRehearsalSteps = IdleRehearsalSteps ?? settings.IdleRehearsalSteps,
            RetainDays = RetainDays ?? settings.RetainDays,
            RetainBytes = RetainBytes ?? settings.RetainBytes,
            MaxLag = MaxLag ?? settings.MaxLag,
        };
        return changed.Problems() is { Count: > 0 } problems ? throw new ShoalException(ShoalErrorKind.Invalid, string.Join(' ', problems)) : changed;
    }
}
