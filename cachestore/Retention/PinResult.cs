using System.Collections.Concurrent;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Breakwater.CacheStore.Disk;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Breakwater.CacheStore.Retention;

/// <summary>How an attempt to pin a set ended.</summary>
public enum PinResult
{
    /// <summary>Pinned; survives a restart.</summary>
    Pinned,

    /// <summary>The objects that the store holds of all sets would be more than <see cref="PinSets.MaxBytes"/>. Nothing was changed.</summary>
    OverLimit,
}
