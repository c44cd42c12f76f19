namespace Breakwater.Proxy.Settings;

/// <summary>
/// A change of this setting, or of this section, is in force at once. A setting of such a section that says <c>false</c> waits for a
/// restart, as all others do.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ReloadedAttribute(bool isReloaded = true) : Attribute
{
    /// <summary>Is it?</summary>
    public bool IsReloaded { get; } = isReloaded;
}
