namespace Breakwater.Proxy.Commands.Publish;

/// <summary>What is to be published, and how.</summary>
internal sealed record PublishRequest
{
    /// <summary>The directory that becomes the repository's root.</summary>
    public required string Directory { get; init; }

    /// <summary>Name of the repository.</summary>
    public required string Fqrn { get; init; }

    /// <summary>Folder into which it is published.</summary>
    public required string Output { get; init; }

    /// <summary>Folder of its keys.</summary>
    public required string Keys { get; init; }

    /// <summary>A new name for this revision; null: none.</summary>
    public string? Tag { get; init; }

    /// <summary>Names that are set to this revision, whether they are new or not.</summary>
    public IReadOnlyList<string> Moves { get; init; } = [];

    /// <summary>What is said of the tags.</summary>
    public string Description { get; init; } = "";

    /// <summary>Read all files, whether they seem changed or not, and write objects anew that are missing.</summary>
    public bool IsVerifying { get; init; }

    /// <summary>Publish what is mounted in the tree, too.</summary>
    public bool CrossesMounts { get; init; }

    /// <summary>A list of paths that becomes <c>/.ucernvm_pinfiles</c>; null: what the tree has.</summary>
    public string? BootFiles { get; init; }

    /// <summary>Exported working sets that travel with the repository; null: what the tree has.</summary>
    public string? WorkingSets { get; init; }

    /// <summary>Entries above which a catalog is divided.</summary>
    public int MaxCatalogEntries { get; init; } = 50_000;

    /// <summary>How long clients use a manifest before they ask again.</summary>
    public TimeSpan Ttl { get; init; } = TimeSpan.FromMinutes(4);

    /// <summary>How long a new whitelist is valid.</summary>
    public required TimeSpan WhitelistValidity { get; init; }
}
