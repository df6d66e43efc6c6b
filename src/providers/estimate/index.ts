export { createEstimator, type EstimateText, type Estimator } from './estimator.ts';
