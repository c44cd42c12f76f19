if (args is ["catalog-walk", ..])
{
    return await Breakwater.Micro.CatalogWalk.RunAsync(args[1..]);
}

if (args is ["heads", ..])
{
    return await Breakwater.Micro.HeadScale.RunAsync(args[1..]);
}

if (args is ["seed-bundle", ..])
{
    return await Breakwater.Micro.SeedBundle.RunAsync(args[1..]);
}

BenchmarkDotNet.Running.BenchmarkSwitcher.FromAssembly(System.Reflection.Assembly.GetExecutingAssembly()).Run(args);
return 0;
