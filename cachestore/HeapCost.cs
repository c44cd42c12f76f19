namespace Breakwater.CacheStore;

/// <summary>What values cost on a 64-bit heap, so that a budget is charged what its entries really take.</summary>
public static class HeapCost
{
    /// <summary>An entry of a concurrent dictionary or a memory cache beside its key and value: node, links, slot of the table.</summary>
    public const int Entry = 128;

    private const int ObjectHeader = 24;

    /// <summary>A string: two bytes a character. Null costs nothing.</summary>
    public static int Of(string? text) => text is null ? 0 : ObjectHeader + (2 * text.Length);

    /// <summary>An array of bytes. Empty costs nothing.</summary>
    public static int Of(ReadOnlyMemory<byte> bytes) => bytes.IsEmpty ? 0 : ObjectHeader + bytes.Length;
}
