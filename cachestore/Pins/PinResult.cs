namespace Breakwater.CacheStore.Pins;

/// <summary>How an attempt to pin a set ended.</summary>
public enum PinResult
{
    /// <summary>Pinned; survives a restart.</summary>
    Pinned,

    /// <summary>
    /// The objects that the store holds of all sets would be more than <see cref="PinSets.MaxBytes"/>. Nothing was changed.
    /// </summary>
    OverLimit,
}
