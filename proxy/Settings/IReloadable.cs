namespace Breakwater.Proxy.Settings;

/// <summary>Takes settings while the proxy runs. Registered beside what it is for, by <see cref="ReloadRegistration.AddReload"/>.</summary>
internal interface IReloadable
{
    /// <summary>New settings are in force.</summary>
    void Take(BreakwaterSettings settings);
}
