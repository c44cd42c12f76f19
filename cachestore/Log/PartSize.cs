namespace Breakwater.CacheStore.Log;

/// <summary>How a long object is cut: parts of one size, and what is left.</summary>
internal static class PartSize
{
    /// <summary>Bytes of each part but the last.</summary>
    public const int Full = 256 << 10;

    /// <summary>How many parts an object of this length has.</summary>
    public static int CountOf(long objectLength) => (int)((objectLength + Full - 1) / Full);

    /// <summary>Bytes of one part of an object.</summary>
    public static int Of(long objectLength, int part) => (int)Math.Min(Full, objectLength - ((long)part * Full));
}
