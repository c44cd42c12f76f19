namespace Breakwater.Proxy.Commands.Publish.Tree;

/// <summary>What the system says of a file.</summary>
internal readonly record struct FileStat
{
    private const uint TypeMask = 0xf000;

    /// <summary>Type and permissions.</summary>
    public required uint Mode { get; init; }

    /// <summary>Names that it has.</summary>
    public required uint Links { get; init; }

    /// <summary>Owner.</summary>
    public required uint Uid { get; init; }

    /// <summary>Group.</summary>
    public required uint Gid { get; init; }

    /// <summary>Its number in its file system.</summary>
    public required ulong Inode { get; init; }

    /// <summary>Its length, bytes.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>When its content was changed, as programs may set it.</summary>
    public required FileTime ModifiedAt { get; init; }

    /// <summary>When anything of it was changed; no program sets it.</summary>
    public required FileTime ChangedAt { get; init; }

    /// <summary>Number of the device that it is.</summary>
    public required ulong DeviceNumber { get; init; }

    /// <summary>Number of the file system that it is on.</summary>
    public required ulong FileSystem { get; init; }

    /// <summary>A directory?</summary>
    public bool IsDirectory => (Mode & TypeMask) == 0x4000;

    /// <summary>A regular file?</summary>
    public bool IsRegular => (Mode & TypeMask) == 0x8000;

    /// <summary>A symbolic link?</summary>
    public bool IsLink => (Mode & TypeMask) == 0xa000;

    /// <summary>A device?</summary>
    public bool IsDevice => (Mode & TypeMask) is 0x2000 or 0x6000;
}
