namespace Breakwater.Proxy.Settings;

/// <summary>Registers who takes reloaded settings.</summary>
internal static class ReloadRegistration
{
    /// <summary>A singleton takes settings that are reloaded. They are handed out in the order of these calls.</summary>
    public static IServiceCollection AddReload<T>(this IServiceCollection services, Action<T, BreakwaterSettings> take)
        where T : class =>
        services.AddSingleton<IReloadable>(provider => new Taker<T>(provider.GetRequiredService<T>(), take));

    private sealed class Taker<T>(T room, Action<T, BreakwaterSettings> take) : IReloadable
    {
        public void Take(BreakwaterSettings settings) => take(room, settings);
    }
}
