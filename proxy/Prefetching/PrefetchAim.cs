namespace Breakwater.Proxy.Prefetching;

/// <summary>What a prefetch is for.</summary>
internal enum PrefetchAim : byte
{
    /// <summary>The store has it when clients come.</summary>
    Store,

    /// <summary>So has the page cache.</summary>
    Memory,

    /// <summary>As <see cref="Memory"/>, for clients that boot now and ask for it in a moment: it gives way to nobody.</summary>
    Boot,
}
