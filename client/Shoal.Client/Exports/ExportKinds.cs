namespace Shoal.Client;

/// <summary>The form of an export.</summary>
public enum ExportFormat
{
    /// <summary>Text, one line an item, with a header.</summary>
    Csv,

    /// <summary>Apache Parquet in row groups of some thousand rows.</summary>
    Parquet,

    /// <summary>A zip of numpy arrays, in parts of some thousand rows; of embeddings only.</summary>
    Npz,
}

/// <summary>What is exported.</summary>
public enum ExportContent
{
    /// <summary>Each item's state, cluster, confidence and version.</summary>
    Assignments,

    /// <summary>Each item's embedding, and the version that made it; items without one are left out.</summary>
    Embeddings,
}
