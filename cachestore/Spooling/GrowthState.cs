namespace Breakwater.CacheStore.Spooling;

/// <summary>The state of a body that grows.</summary>
public enum GrowthState
{
    /// <summary>More may come.</summary>
    Growing,

    /// <summary>All bytes are here and their digest is the key's.</summary>
    Verified,

    /// <summary>No more will come, or what came is wrong: nothing beyond what was released is handed out.</summary>
    Broken,
}
